package blob

import (
	"fmt"
	"strings"
)

// CheckKey refuses keys that mean something else as a path: empty ones, a leading or trailing slash, empty,
// "." and ".." elements, and NUL. The error wraps ErrKey. Drivers check the keys that they write.
func CheckKey(key string) error {
	if strings.IndexByte(key, 0) >= 0 {
		return fmt.Errorf("key %q holds a NUL byte: %w", key, ErrKey)
	}
	for elem := range strings.SplitSeq(key, "/") {
		switch elem {
		case "", ".", "..":
			return fmt.Errorf("key %q has the path element %q: %w", key, elem, ErrKey)
		}
	}
	return nil
}

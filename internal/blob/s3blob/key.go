package s3blob

import (
	"fmt"
	"unicode/utf8"

	"mss/internal/blob"
)

// checkKey adds what S3 asks of keys that are written: UTF-8, at most 1,024 bytes.
func checkKey(key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if !utf8.ValidString(key) {
		return fmt.Errorf("key %q is not UTF-8, which S3 requires: %w", key, blob.ErrKey)
	}
	if len(key) > 1024 {
		return fmt.Errorf("key of %d bytes, S3 takes 1,024: %w", len(key), blob.ErrKey)
	}
	return nil
}

package csvio

import (
	"errors"
	"fmt"
	"io"
)

const (
	blockSize = 1 << 20 // bytes asked of the reader at a time
	slack     = 64      // bytes behind the filled part that may be loaded, whatever they hold
	// MaxLine is the longest physical line that is read at all.
	MaxLine = 64 << 20
)

// ErrLongLine is a line longer than MaxLine.
var ErrLongLine = errors.New("a line is longer than 64 MiB: is this a CSV file?")

// window is the part of a file that is in memory: buf[:n], which begins at offset base of the file.
type window struct {
	r    io.Reader
	buf  []byte // always longer than n by slack
	n    int
	base int64
	eof  bool
}

// fill drops what is before keep, and reads size bytes more, or half of what is left when that is more, so that a record
// longer than a block is not copied again for each block of it. The bytes at keep are then at 0.
func (w *window) fill(keep, size int) error {
	rest := w.n - keep
	if rest > MaxLine {
		return fmt.Errorf("at byte %d: %w", w.base+int64(keep), ErrLongLine)
	}
	size = max(size, rest/2)
	if need := rest + size + slack; need > len(w.buf) {
		// A quarter more, so that the usual rest of a line does not make the buffer grow again.
		grown := make([]byte, need+need/4)
		copy(grown, w.buf[keep:w.n])
		w.buf = grown
	} else {
		copy(w.buf, w.buf[keep:w.n])
	}
	w.base += int64(keep)
	k, err := io.ReadFull(w.r, w.buf[rest:rest+size])
	w.n = rest + k
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		w.eof = true
		return nil
	}
	return err
}

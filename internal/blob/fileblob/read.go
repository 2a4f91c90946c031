package fileblob

import (
	"context"
	"fmt"
	"io"
	"os"

	"mss/internal/blob"
)

// Open holds the file open: when another is renamed over it, this one can still be read to its end. A file
// that is changed in place makes the reads fail with blob.ErrChanged.
func (b *Bucket) Open(ctx context.Context, obj blob.Object) (blob.Reader, error) {
	r, err := b.open(ctx, obj.Key, obj.ETag)
	if err != nil {
		return nil, b.fail("read", obj.Key, err)
	}
	return r, nil
}

func (b *Bucket) open(ctx context.Context, key, etag string) (*reader, error) {
	if _, err := b.stat(ctx, key); err != nil { // before opening: a named pipe would block
		return nil, err
	}
	f, err := os.Open(b.path(key))
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	obj := object(key, fi)
	if etag != "" && etag != obj.ETag {
		f.Close()
		return nil, fmt.Errorf("%w (listed as %s, now %s)", blob.ErrChanged, etag, obj.ETag)
	}
	return &reader{ctx: ctx, b: b, f: f, obj: obj}, nil
}

type reader struct {
	ctx context.Context
	b   *Bucket
	f   *os.File
	obj blob.Object
}

// ReadAt is a pread, and one fstat to see that the file is still the one that was listed.
func (r *reader) ReadAt(p []byte, off int64) (int, error) { return r.readAt(r.ctx, p, off) }

func (r *reader) readAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, r.b.fail("read", r.obj.Key, err)
	}
	if off < 0 {
		return 0, r.b.fail("read", r.obj.Key, fmt.Errorf("negative offset %d", off))
	}
	if off >= r.obj.Size {
		return 0, io.EOF
	}
	short := false
	if rest := r.obj.Size - off; int64(len(p)) > rest {
		p, short = p[:rest], true
	}
	n, err := r.f.ReadAt(p, off)
	if err != nil && err != io.EOF {
		return n, r.b.fail("read", r.obj.Key, err)
	}
	if cerr := r.changed(); cerr != nil {
		return 0, cerr
	}
	if n < len(p) { // shorter than its own size says
		return n, r.b.fail("read", r.obj.Key, fmt.Errorf("%w: %d bytes missing at %d", blob.ErrChanged, len(p)-n, off+int64(n)))
	}
	if short {
		return n, io.EOF
	}
	return n, nil
}

func (r *reader) changed() error {
	fi, err := r.f.Stat()
	if err != nil {
		return r.b.fail("read", r.obj.Key, err)
	}
	if fi.Size() != r.obj.Size || !fi.ModTime().Equal(r.obj.ModTime) {
		return r.b.fail("read", r.obj.Key, fmt.Errorf("%w (%d bytes listed, %d now)", blob.ErrChanged, r.obj.Size, fi.Size()))
	}
	return nil
}

func (r *reader) Close() error {
	if err := r.f.Close(); err != nil {
		return r.b.fail("read", r.obj.Key, err)
	}
	return nil
}

// Stream has no buffer and no goroutine: the kernel reads ahead, and the caller's buffers are large.
func (r *reader) Stream(ctx context.Context, off, length int64) (io.ReadCloser, error) {
	if off < 0 || length < 0 {
		return nil, r.b.fail("read", r.obj.Key, fmt.Errorf("negative range %d+%d", off, length))
	}
	return &stream{r: r, ctx: ctx, off: off, end: off + min(length, max(0, r.obj.Size-off))}, nil
}

type stream struct {
	r        *reader
	ctx      context.Context
	off, end int64
	closed   bool
}

func (s *stream) Read(p []byte) (int, error) {
	if s.closed {
		return 0, s.r.b.fail("read", s.r.obj.Key, os.ErrClosed)
	}
	if s.off >= s.end {
		// The empty tail of a file that has grown or shrunk since is no true end.
		if err := s.r.changed(); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	if rest := s.end - s.off; int64(len(p)) > rest {
		p = p[:rest]
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := s.r.readAt(s.ctx, p, s.off)
	s.off += int64(n)
	if err == io.EOF {
		err = nil // the next Read ends the stream
	}
	return n, err
}

func (s *stream) Close() error {
	s.closed = true
	return nil
}

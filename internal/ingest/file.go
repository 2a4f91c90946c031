package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"mss/internal/blob"
	"mss/internal/csvio"
	"mss/internal/report"
	"mss/internal/schema"
)

// file is a raw object that is being read by several workers.
type file struct {
	bucket blob.Bucket
	obj    blob.Object
	index  int
	gzip   bool
	table  schema.Table

	once   sync.Once
	in     blob.Reader
	header *csvio.Layout
	err    error
}

func newFile(b blob.Bucket, obj blob.Object, index int, table schema.Table) *file {
	return &file{bucket: b, obj: obj, index: index, gzip: isGzip(obj.Key), table: table}
}

// layout opens the object and reads its header, the first time.
func (f *file) layout(ctx context.Context) (*csvio.Layout, error) {
	f.once.Do(func() {
		if f.obj.Size == 0 { // even a gzipped one: nothing was uploaded, so there is nothing to read
			f.header = &csvio.Layout{Table: f.table, Empty: true}
			return
		}
		in, err := f.bucket.Open(ctx, f.obj)
		if err != nil {
			f.err = err
			return
		}
		f.in = in
		var r io.ReadCloser
		if r, f.err = f.reader(ctx, 0, headSize-csvio.Tail, nil, nil); f.err != nil {
			return
		}
		f.header, f.err = csvio.ReadLayout(r, f.table)
		if err := r.Close(); f.err == nil {
			f.err = err
		}
	})
	return f.header, f.err
}

// close closes the object, once nobody reads it any more. It may be called again.
func (f *file) close() error {
	in := f.in
	if in == nil {
		return nil
	}
	f.in = nil
	return in.Close()
}

const headSize = 4 << 10 // a header is read in pieces of this size

// reader reads the object from off on: eagerly up to end and what the scanner wants behind it, and then as needed. What is read is
// hashed by d, if there is one.
func (f *file) reader(ctx context.Context, off, end int64, progress report.Progress, d *digest) (io.ReadCloser, error) {
	s := &stream{ctx: ctx, in: f.in, pos: off, size: f.obj.Size, step: end - off + csvio.Tail, progress: progress, digest: d}
	s.quota = min(end, f.obj.Size) - off
	if !f.gzip {
		if d != nil && d.at < off { // the header, which was read before
			s.pos, s.step = d.at, s.step+off-d.at
			if _, err := io.CopyN(io.Discard, s, off-d.at); err != nil {
				return nil, errors.Join(err, s.Close())
			}
		}
		return s, nil
	}
	s.pos, s.step, s.quota = 0, untilEnd, f.obj.Size
	z, err := gzip.NewReader(s)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("gunzip: %w", gzipError(err)), s.Close())
	}
	u := &unzip{z: z, s: s}
	if _, err := io.CopyN(io.Discard, u, off); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return u, nil
}

// stream reads an object from pos to its end, by stretches of step bytes.
type stream struct {
	ctx  context.Context
	in   blob.Reader
	cur  io.ReadCloser
	pos  int64
	left int64 // of the stretch
	size int64
	step int64
	// Progress is told of the bytes read, but of no more than quota: what lies behind a chunk belongs to the next.
	progress report.Progress
	quota    int64
	digest   *digest // nil when nobody asks
}

func (s *stream) Read(p []byte) (int, error) {
	for {
		if s.cur == nil {
			if s.pos >= s.size {
				return 0, io.EOF
			}
			var err error
			s.left = min(s.step, s.size-s.pos)
			if s.cur, err = s.in.Stream(s.ctx, s.pos, s.left); err != nil {
				return 0, err
			}
			s.step = csvio.Tail
		}
		n, err := s.cur.Read(p)
		if s.digest != nil {
			s.digest.add(s.pos, p[:n])
		}
		s.pos += int64(n)
		s.left -= int64(n)
		if told := min(int64(n), s.quota); told > 0 && s.progress != nil {
			s.progress.Add(0, told)
			s.quota -= told
		}
		if err == io.EOF {
			if err = s.cur.Close(); err == nil && s.left > 0 {
				err = fmt.Errorf("%w: it ends at byte %d of %d", blob.ErrChanged, s.pos, s.size)
			}
			s.cur = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Close ends the stretch that is being read.
func (s *stream) Close() error {
	if s.cur == nil {
		return nil
	}
	return s.cur.Close()
}

// unzip reads a gzipped stream.
type unzip struct {
	z *gzip.Reader
	s *stream
}

func (u *unzip) Read(p []byte) (int, error) {
	n, err := u.z.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("gunzip: %w", gzipError(err))
	}
	return n, err
}

func (u *unzip) Close() error { return u.s.Close() }

// gzipError says what a truncated or foreign file means for the user.
func gzipError(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the object ends too early; was it uploaded whole?")
	case errors.Is(err, gzip.ErrHeader):
		return errors.New("this is not gzip, though its name ends in .gz")
	}
	return err
}

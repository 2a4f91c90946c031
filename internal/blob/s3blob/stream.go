package s3blob

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"mss/internal/blob"
)

// firstPart is small, so that parsing begins soon; parts double from there to the bucket's part size.
const firstPart = 1 * mib

// Stream fetches consecutive parts of the range, a few ahead of the reader, each with a request and a buffer
// of its own.
func (r *reader) Stream(ctx context.Context, off, length int64) (io.ReadCloser, error) {
	if off < 0 || length < 0 {
		return nil, r.b.fail(ctx, "read", r.obj.Key, fmt.Errorf("negative range %d+%d", off, length))
	}
	s := &stream{r: r, next: off, end: off + min(length, max(0, r.obj.Size-off)), size: min(firstPart, r.b.part)}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.ahead()
	return s, nil
}

type stream struct {
	r      *reader
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	next   int64 // first byte not asked for yet
	end    int64
	size   int64 // of the next part
	queue  []*part
	rest   []byte // unread bytes of queue[0]
	err    error
}

// part is one range on its way. n and err may be read once done is closed.
type part struct {
	buf  *[]byte
	want int64
	n    int
	err  error
	done chan struct{}
}

// ahead asks for parts until enough are under way.
func (s *stream) ahead() {
	for len(s.queue) < s.r.b.parallel && s.next < s.end {
		p := &part{want: min(s.size, s.end-s.next), done: make(chan struct{})}
		p.buf = s.r.b.buffer(p.want)
		off := s.next
		s.next += p.want
		s.size = min(2*s.size, s.r.b.part)
		s.queue = append(s.queue, p)
		s.wg.Go(func() {
			defer close(p.done)
			p.n, p.err = s.r.fill(s.ctx, (*p.buf)[:p.want], off)
		})
	}
}

func (s *stream) Read(out []byte) (int, error) {
	for len(s.rest) == 0 && s.err == nil {
		s.advance()
	}
	if len(s.rest) == 0 {
		return 0, s.err
	}
	n := copy(out, s.rest)
	s.rest = s.rest[n:]
	if len(s.rest) == 0 && s.err == nil {
		s.drop()
	}
	return n, nil
}

// advance waits for the next part.
func (s *stream) advance() {
	if len(s.queue) == 0 {
		if s.ahead(); len(s.queue) == 0 {
			s.err = io.EOF
			return
		}
	}
	p := s.queue[0]
	select {
	case <-p.done:
	case <-s.ctx.Done():
		s.err = s.r.b.fail(s.ctx, "read", s.r.obj.Key, s.ctx.Err())
		return
	}
	s.rest, s.err = (*p.buf)[:p.n], p.err
	if s.err == nil && int64(p.n) != p.want {
		s.err = s.r.b.fail(s.ctx, "read", s.r.obj.Key, fmt.Errorf("%w: %d bytes missing", blob.ErrChanged, p.want-int64(p.n)))
	}
}

// drop gives back the buffer of the part that has been read, and fills the place in the queue.
func (s *stream) drop() {
	s.r.b.recycle(s.queue[0].buf)
	s.queue = s.queue[1:]
	s.ahead()
}

// Close stops the requests that are under way and waits for their end.
func (s *stream) Close() error {
	s.cancel()
	s.wg.Wait()
	for _, p := range s.queue {
		s.r.b.recycle(p.buf)
	}
	s.queue, s.rest, s.next = nil, nil, s.end
	if s.err == nil || s.err == io.EOF {
		s.err = os.ErrClosed
	}
	return nil
}

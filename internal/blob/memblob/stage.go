package memblob

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"mss/internal/blob"
)

// Stage begins an object in a buffer of its own.
func (b *Bucket) Stage(ctx context.Context, key string) (blob.Staged, error) {
	if err := firstErr(ctx.Err(), blob.CheckKey(key)); err != nil {
		return nil, b.fail("write", key, err)
	}
	s := &staged{ctx: ctx, b: b, key: key}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending[s] = true
	return s, nil
}

// Unfinished knows the keys, as S3 does.
func (b *Bucket) Unfinished(ctx context.Context) ([]blob.Unfinished, error) {
	if err := ctx.Err(); err != nil {
		return nil, b.fail("list uploads of", "", err)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	var all []blob.Unfinished
	for s := range b.pending {
		all = append(all, blob.Unfinished{Key: s.key, ID: fmt.Sprintf("%p", s)})
	}
	slices.SortFunc(all, func(x, y blob.Unfinished) int { return strings.Compare(x.Key+x.ID, y.Key+y.ID) })
	return all, nil
}

// Discard aborts a staged object.
func (b *Bucket) Discard(ctx context.Context, u blob.Unfinished) error {
	if err := ctx.Err(); err != nil {
		return b.fail("abort", u.Key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.pending {
		if fmt.Sprintf("%p", s) == u.ID {
			s.done, s.closed, s.data = true, true, nil
			delete(b.pending, s)
		}
	}
	return nil
}

type staged struct {
	ctx          context.Context
	b            *Bucket
	key          string
	data         []byte
	err          error
	closed, done bool
}

func (s *staged) Write(p []byte) (int, error) {
	if s.err == nil && s.closed {
		s.err = os.ErrClosed
	}
	if s.err = firstErr(s.err, s.ctx.Err()); s.err != nil {
		return 0, s.b.fail("write", s.key, s.err)
	}
	s.data = append(s.data, p...)
	return len(p), nil
}

func (s *staged) Close() error {
	if !s.closed {
		s.closed = true
		s.err = firstErr(s.err, s.ctx.Err())
	}
	if s.err != nil {
		return s.b.fail("write", s.key, s.err)
	}
	return nil
}

func (s *staged) Publish(ctx context.Context, cond blob.Cond) (blob.Object, error) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	err := firstErr(s.err, ctx.Err(), s.b.holds(s.key, cond))
	switch {
	case err != nil:
	case s.done:
		err = errors.New("published or aborted already")
	case !s.closed:
		err = errors.New("not closed yet")
	}
	if err != nil {
		return blob.Object{}, s.b.fail("publish", s.key, err)
	}
	s.done = true
	delete(s.b.pending, s)
	return s.b.put(s.key, s.data), nil
}

func (s *staged) Abort(context.Context) error {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.done, s.closed, s.data = true, true, nil
	delete(s.b.pending, s)
	return nil
}

package memblob

import (
	"context"
	"errors"
	"os"
	"slices"

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

// Pending returns the keys of objects that are neither published nor aborted.
func (b *Bucket) Pending(context.Context) ([]string, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var keys []string
	for s := range b.pending {
		keys = append(keys, s.key)
	}
	slices.Sort(keys)
	return keys, nil
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

func (s *staged) Publish(ctx context.Context) (blob.Object, error) {
	err := firstErr(s.err, ctx.Err())
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
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
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

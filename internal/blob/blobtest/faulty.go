package blobtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"mss/internal/blob"
)

// ErrInjected is the error of a Faults, in place of what a network would come up with.
var ErrInjected = errors.New("injected fault")

// Faults makes one call fail among all those to the buckets that it wraps: set At to 1, 2, … until a run
// passes with Hit false. Calls are counted from 1, in the order in which they begin; the methods of Bucket,
// Reader and Staged count, and each Read of a stream and Write of a staged object; the Close of a reader or
// a stream does not.
type Faults struct {
	At    int  // the call that fails; 0 fails none, and only counts
	After bool // it takes effect and fails nevertheless, as when the answer is lost
	Dead  bool // all calls after it fail too and have no effect, as when the process was killed
	// Watch, unless nil, is called after each call that was carried out, and before the next one is.
	Watch func(act, key string)

	mu       sync.Mutex
	calls    []string
	watching sync.Mutex
}

// Wrap makes the calls to b count, and fail.
func (f *Faults) Wrap(b blob.Bucket) blob.Bucket { return &faulty{b, f} }

// Calls says what was called, as "publish a/b".
func (f *Faults) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.calls...)
}

// Hit says whether call At was made.
func (f *Faults) Hit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.At > 0 && len(f.calls) >= f.At
}

// Call counts one call and carries it out or not. It is for other remote things than buckets, that fail along with them.
func (f *Faults) Call(act, key string, do func() error) error {
	f.mu.Lock()
	f.calls = append(f.calls, act+" "+key)
	n := len(f.calls)
	f.mu.Unlock()
	if f.Watch != nil {
		carry := do
		do = func() error {
			f.watching.Lock()
			defer f.watching.Unlock()
			defer f.Watch(act, key)
			return carry()
		}
	}
	fault := fmt.Errorf("%s %s: call %d: %w", act, key, n, ErrInjected)
	switch {
	case n == f.At && f.After:
		if err := do(); err != nil && err != io.EOF {
			return err
		}
		return fault
	case f.At > 0 && (n == f.At || f.Dead && n > f.At):
		return fault
	}
	return do()
}

type faulty struct {
	b blob.Bucket
	f *Faults
}

func (b *faulty) String() string { return b.b.String() }

func (b *faulty) List(ctx context.Context, prefix string) (found []blob.Object, err error) {
	err = b.f.Call("list", prefix, func() (err error) { found, err = b.b.List(ctx, prefix); return })
	return zeroOn(err, found), err
}

func (b *faulty) Stat(ctx context.Context, key string) (obj blob.Object, err error) {
	err = b.f.Call("stat", key, func() (err error) { obj, err = b.b.Stat(ctx, key); return })
	return zeroOn(err, obj), err
}

func (b *faulty) ReadAll(ctx context.Context, key string) (data []byte, obj blob.Object, err error) {
	err = b.f.Call("read", key, func() (err error) { data, obj, err = b.b.ReadAll(ctx, key); return })
	return zeroOn(err, data), zeroOn(err, obj), err
}

func (b *faulty) Write(ctx context.Context, key string, data []byte, cond blob.Cond) (obj blob.Object, err error) {
	err = b.f.Call("write", key, func() (err error) { obj, err = b.b.Write(ctx, key, data, cond); return })
	return zeroOn(err, obj), err
}

func (b *faulty) Delete(ctx context.Context, keys ...string) error {
	return b.f.Call("delete", fmt.Sprint(keys), func() error { return b.b.Delete(ctx, keys...) })
}

func (b *faulty) DeleteVersion(ctx context.Context, obj blob.Object) error {
	return b.f.Call("delete", obj.Key, func() error { return b.b.DeleteVersion(ctx, obj) })
}

func (b *faulty) Unfinished(ctx context.Context) (all []blob.Unfinished, err error) {
	err = b.f.Call("list uploads", "", func() (err error) { all, err = b.b.Unfinished(ctx); return })
	return zeroOn(err, all), err
}

func (b *faulty) Discard(ctx context.Context, u blob.Unfinished) error {
	return b.f.Call("discard", u.Key, func() error { return b.b.Discard(ctx, u) })
}

func (b *faulty) Open(ctx context.Context, obj blob.Object) (blob.Reader, error) {
	var r blob.Reader
	err := b.f.Call("open", obj.Key, func() (err error) { r, err = b.b.Open(ctx, obj); return })
	if err != nil {
		if r != nil {
			r.Close()
		}
		return nil, err
	}
	return &faultyReader{r, b.f, obj.Key}, nil
}

func (b *faulty) Stage(ctx context.Context, key string) (blob.Staged, error) {
	var s blob.Staged
	err := b.f.Call("stage", key, func() (err error) { s, err = b.b.Stage(ctx, key); return })
	if err != nil {
		return nil, err // what was staged after all stays, as in life
	}
	return &faultyStaged{s: s, f: b.f, key: key}, nil
}

func zeroOn[T any](err error, v T) T {
	if err != nil {
		var zero T
		return zero
	}
	return v
}

type faultyReader struct {
	blob.Reader
	f   *Faults
	key string
}

func (r *faultyReader) ReadAt(p []byte, off int64) (n int, err error) {
	err = r.f.Call("readat", r.key, func() (err error) { n, err = r.Reader.ReadAt(p, off); return })
	return n, err
}

func (r *faultyReader) Stream(ctx context.Context, off, length int64) (io.ReadCloser, error) {
	var s io.ReadCloser
	err := r.f.Call("stream", r.key, func() (err error) { s, err = r.Reader.Stream(ctx, off, length); return })
	if err != nil {
		if s != nil {
			s.Close()
		}
		return nil, err
	}
	return &faultyStream{s, r.f, r.key}, nil
}

type faultyStream struct {
	io.ReadCloser
	f   *Faults
	key string
}

func (s *faultyStream) Read(p []byte) (n int, err error) {
	err = s.f.Call("streamread", s.key, func() (err error) { n, err = s.ReadCloser.Read(p); return })
	return n, err
}

// faultyStaged keeps a Write error for Close, as the interface asks.
type faultyStaged struct {
	s   blob.Staged
	f   *Faults
	key string
	err error
}

func (s *faultyStaged) Write(p []byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	s.err = s.f.Call("append", s.key, func() (err error) { n, err = s.s.Write(p); return })
	return n, s.err
}

func (s *faultyStaged) Close() error {
	err := s.f.Call("close", s.key, s.s.Close)
	if s.err == nil {
		s.err = err
	}
	return s.err
}

func (s *faultyStaged) Publish(ctx context.Context, cond blob.Cond) (obj blob.Object, err error) {
	if s.err != nil {
		return obj, s.err
	}
	err = s.f.Call("publish", s.key, func() (err error) { obj, err = s.s.Publish(ctx, cond); return })
	return zeroOn(err, obj), err
}

func (s *faultyStaged) Abort(ctx context.Context) error {
	return s.f.Call("abort", s.key, func() error { return s.s.Abort(ctx) })
}

// Package memblob keeps a place in memory, for tests. It is as strict as a store can be: a replaced object
// can no longer be read, and its ETag is a hash of the bytes, as on S3.
package memblob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"mss/internal/blob"
)

// Bucket holds its objects in a map.
type Bucket struct {
	name    string
	mu      sync.RWMutex
	objects map[string]object
	pending map[*staged]bool
}

// object's data is never changed once it is in the map.
type object struct {
	blob.Object
	data []byte
}

var _ blob.Bucket = (*Bucket)(nil)

// New makes an empty place; name is what String returns, and what errors say.
func New(name string) *Bucket {
	return &Bucket{name: name, objects: map[string]object{}, pending: map[*staged]bool{}}
}

// Clone copies the objects, but nothing that is staged.
func (b *Bucket) Clone() *Bucket {
	b.mu.RLock()
	defer b.mu.RUnlock()
	c := New(b.name)
	maps.Copy(c.objects, b.objects)
	return c
}

func (b *Bucket) String() string { return b.name }

// List returns the objects in the order of their keys.
func (b *Bucket) List(ctx context.Context, prefix string) ([]blob.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, b.fail("list", prefix, err)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	var found []blob.Object
	for key, o := range b.objects {
		if strings.HasPrefix(key, prefix) {
			found = append(found, o.Object)
		}
	}
	slices.SortFunc(found, func(x, y blob.Object) int { return strings.Compare(x.Key, y.Key) })
	return found, nil
}

func (b *Bucket) get(ctx context.Context, key string) (object, error) {
	if err := ctx.Err(); err != nil {
		return object{}, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	o, ok := b.objects[key]
	if !ok {
		return object{}, blob.ErrNotExist
	}
	return o, nil
}

// Stat describes one object.
func (b *Bucket) Stat(ctx context.Context, key string) (blob.Object, error) {
	o, err := b.get(ctx, key)
	if err != nil {
		return blob.Object{}, b.fail("stat", key, err)
	}
	o.Seen = time.Now()
	return o.Object, nil
}

// ReadAll returns a copy.
func (b *Bucket) ReadAll(ctx context.Context, key string) ([]byte, blob.Object, error) {
	o, err := b.get(ctx, key)
	if err != nil {
		return nil, blob.Object{}, b.fail("read", key, err)
	}
	o.Seen = time.Now()
	return bytes.Clone(o.data), o.Object, nil
}

// Write stores a copy of data.
func (b *Bucket) Write(ctx context.Context, key string, data []byte, cond blob.Cond) (blob.Object, error) {
	if err := firstErr(ctx.Err(), blob.CheckKey(key)); err != nil {
		return blob.Object{}, b.fail("write", key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.holds(key, cond); err != nil {
		return blob.Object{}, b.fail("write", key, err)
	}
	return b.put(key, bytes.Clone(data)), nil
}

// holds checks a condition; the lock is held.
func (b *Bucket) holds(key string, cond blob.Cond) error {
	old, exists := b.objects[key]
	if cond.IfNone && exists || cond.IfMatch != "" && old.ETag != cond.IfMatch {
		return blob.ErrPrecondition
	}
	return nil
}

// put takes data over; the lock is held.
func (b *Bucket) put(key string, data []byte) blob.Object {
	sum := sha256.Sum256(data)
	o := blob.Object{Key: key, Size: int64(len(data)), ETag: fmt.Sprintf("%x", sum[:16]), ModTime: time.Now()}
	b.objects[key] = object{Object: o, data: data}
	return o
}

// Delete removes objects.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	if err := ctx.Err(); err != nil {
		return b.fail("delete", strings.Join(keys, ", "), err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		delete(b.objects, key)
	}
	return nil
}

// DeleteVersion removes one version.
func (b *Bucket) DeleteVersion(ctx context.Context, obj blob.Object) error {
	if err := ctx.Err(); err != nil {
		return b.fail("delete", obj.Key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.objects[obj.Key]; ok && old.ETag != obj.ETag {
		return b.fail("delete", obj.Key, blob.ErrPrecondition)
	}
	delete(b.objects, obj.Key)
	return nil
}

// Open pins a version; its reads fail once the object has been replaced (blob.ErrChanged) or deleted (blob.ErrNotExist).
func (b *Bucket) Open(ctx context.Context, obj blob.Object) (blob.Reader, error) {
	o, err := b.get(ctx, obj.Key)
	if err == nil && obj.ETag != "" && obj.ETag != o.ETag {
		err = blob.ErrChanged
	}
	if err != nil {
		return nil, b.fail("read", obj.Key, err)
	}
	return &reader{ctx: ctx, b: b, o: o}, nil
}

type reader struct {
	ctx context.Context
	b   *Bucket
	o   object
}

func (r *reader) ReadAt(p []byte, off int64) (int, error) { return r.readAt(r.ctx, p, off) }

func (r *reader) readAt(ctx context.Context, p []byte, off int64) (int, error) {
	now, err := r.b.get(ctx, r.o.Key)
	if err == nil && now.ETag != r.o.ETag {
		err = blob.ErrChanged
	}
	if err != nil {
		return 0, r.b.fail("read", r.o.Key, err)
	}
	return bytes.NewReader(r.o.data).ReadAt(p, off)
}

func (r *reader) Stream(ctx context.Context, off, length int64) (io.ReadCloser, error) {
	if off < 0 || length < 0 {
		return nil, r.b.fail("read", r.o.Key, fmt.Errorf("negative range %d+%d", off, length))
	}
	at := readerAt(func(p []byte, off int64) (int, error) { return r.readAt(ctx, p, off) })
	return &stream{SectionReader: io.NewSectionReader(at, off, min(length, max(0, r.o.Size-off)))}, nil
}

type stream struct {
	*io.SectionReader
	closed bool
}

func (s *stream) Read(p []byte) (int, error) {
	if s.closed {
		return 0, os.ErrClosed
	}
	return s.SectionReader.Read(p)
}

func (s *stream) Close() error {
	s.closed = true
	return nil
}

func (r *reader) Close() error { return nil }

type readerAt func(p []byte, off int64) (int, error)

func (f readerAt) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }

func (b *Bucket) fail(act, key string, err error) error {
	return fmt.Errorf("%s %s/%s: %w", act, b.name, key, err)
}

func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

package fileblob

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"mss/internal/blob"
)

// Write stores a small document, synced to disk together with its folder entry.
func (b *Bucket) Write(ctx context.Context, key string, data []byte, cond blob.Cond) (blob.Object, error) {
	obj, err := b.write(ctx, key, data, cond)
	if err != nil {
		return blob.Object{}, b.fail("write", key, err)
	}
	return obj, nil
}

func (b *Bucket) write(ctx context.Context, key string, data []byte, cond blob.Cond) (obj blob.Object, err error) {
	if err := ctx.Err(); err != nil {
		return obj, err
	}
	if err := b.check(key); err != nil {
		return obj, err
	}
	f, err := b.temp()
	if err != nil {
		return obj, err
	}
	defer b.tidy()
	defer os.Remove(f.Name()) // gone already when it was renamed
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return obj, err
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return obj, err
	}
	defer unlock()
	if err := b.holds(key, cond); err != nil {
		return obj, err
	}
	if obj, err = b.move(f.Name(), key, cond.IfNone); err != nil {
		return obj, err
	}
	return obj, syncDir(filepath.Dir(b.path(key)))
}

// holds checks a condition; the lock is held.
func (b *Bucket) holds(key string, cond blob.Cond) error {
	if cond == (blob.Cond{}) {
		return nil
	}
	fi, err := b.stat(context.Background(), key)
	missing := err != nil && (gone(err) || errors.Is(err, blob.ErrNotExist))
	switch {
	case err != nil && !missing:
		return err
	case cond.IfNone && !missing:
		return fmt.Errorf("%w: it exists already", blob.ErrPrecondition)
	case cond.IfMatch != "" && missing:
		return fmt.Errorf("%w: it does not exist", blob.ErrPrecondition)
	case cond.IfMatch != "" && object(key, fi).ETag != cond.IfMatch:
		return fmt.Errorf("%w: it has been replaced", blob.ErrPrecondition)
	}
	return nil
}

// move makes the finished file tmp the object at key; the lock is held. With ifNone even a program that does
// not know the lock cannot get in between.
func (b *Bucket) move(tmp, key string, ifNone bool) (blob.Object, error) {
	to := b.path(key)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return blob.Object{}, err
	}
	// The kernel's own stamp is coarse; this one tells two versions apart.
	now := time.Now()
	if err := os.Chtimes(tmp, now, now); err != nil {
		return blob.Object{}, err
	}
	if ifNone {
		err := os.Link(tmp, to)
		switch {
		case err == nil:
			os.Remove(tmp)
			return b.described(key)
		case errors.Is(err, os.ErrExist):
			return blob.Object{}, fmt.Errorf("%w: it exists already", blob.ErrPrecondition)
		}
		// A file system without hard links, or another file system: the lock has to do.
	}
	err := os.Rename(tmp, to)
	if errors.Is(err, syscall.EXDEV) {
		err = copyOver(tmp, to)
	}
	if err != nil {
		return blob.Object{}, err
	}
	return b.described(key)
}

func (b *Bucket) described(key string) (blob.Object, error) {
	fi, err := b.stat(context.Background(), key)
	if err != nil {
		return blob.Object{}, err
	}
	return object(key, fi), nil
}

// Delete removes files, and the folders that become empty by it.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	if _, err := os.Stat(b.root); gone(err) || len(keys) == 0 {
		return ctx.Err()
	}
	for _, key := range keys {
		if err := b.check(key); err != nil {
			return b.fail("delete", key, err)
		}
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return b.fail("delete", keys[0], err)
	}
	defer unlock()
	var errs []error
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, b.fail("delete", key, err))...)
		}
		if fi, err := os.Lstat(b.path(key)); err == nil && fi.IsDir() {
			continue // not an object
		}
		if err := b.remove(key); err != nil {
			errs = append(errs, b.fail("delete", key, err))
		}
	}
	return errors.Join(errs...)
}

// DeleteVersion removes a file while it is the one that was listed.
func (b *Bucket) DeleteVersion(ctx context.Context, obj blob.Object) error {
	if _, err := os.Stat(b.path(obj.Key)); gone(err) {
		return ctx.Err()
	}
	if err := b.check(obj.Key); err != nil {
		return b.fail("delete", obj.Key, err)
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return b.fail("delete", obj.Key, err)
	}
	defer unlock()
	now, err := b.stat(ctx, obj.Key)
	switch {
	case gone(err), errors.Is(err, blob.ErrNotExist):
		return nil
	case err == nil && object(obj.Key, now).ETag != obj.ETag:
		err = blob.ErrPrecondition
	case err == nil:
		err = b.remove(obj.Key)
	}
	if err != nil {
		return b.fail("delete", obj.Key, err)
	}
	return nil
}

// remove removes a file, and the folders that become empty by it; the lock is held.
func (b *Bucket) remove(key string) error {
	if err := os.Remove(b.path(key)); err != nil && !gone(err) && !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
		if err := os.Remove(b.path(dir)); err != nil && !gone(err) {
			break
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems cannot sync a folder; the rename itself has been done.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

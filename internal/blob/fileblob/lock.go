package fileblob

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lock makes this process the only one of mss that changes the place, for the moment of a rename: a condition
// that was checked still holds when the file is moved. Whoever holds the lock removes its file before letting
// go, so that no trace stays; one that waited for a removed file sees that and begins again.
func (b *Bucket) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	name := filepath.Join(b.staging(), "change.lock")
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		f, err := b.tryLock(name)
		if err != nil {
			<-b.turn
			return nil, err
		}
		if f != nil {
			return func() {
				os.Remove(name)
				f.Close()
				b.tidy()
				<-b.turn
			}, nil
		}
		// flock itself would wait, but could not be cancelled.
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			<-b.turn
			return nil, ctx.Err()
		}
	}
}

// TryLock locks the file at key, which it makes when there is none, for this process: until unlock, or its death. The file stays.
func (b *Bucket) TryLock(key string) (unlock func(), ok bool, err error) {
	if err := b.check(key); err != nil {
		return nil, false, b.fail("lock", key, err)
	}
	f, err := b.create(b.path(key), os.O_CREATE|os.O_RDWR)
	if err != nil {
		return nil, false, b.fail("lock", key, err)
	}
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case err == nil:
		return func() { f.Close() }, true, nil
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EINTR):
		f.Close()
		return nil, false, nil
	default:
		f.Close()
		return nil, false, b.fail("lock", key, err)
	}
}

// tryLock returns nil without an error when another has the lock.
func (b *Bucket) tryLock(name string) (*os.File, error) {
	f, err := b.create(name, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
			return nil, nil
		}
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	locked, err := f.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(name); err == nil && os.SameFile(locked, there) {
			return f, nil
		}
	}
	f.Close()
	if err != nil && !gone(err) {
		return nil, err
	}
	return nil, nil
}

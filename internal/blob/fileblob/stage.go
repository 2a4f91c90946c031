package fileblob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"mss/internal/blob"
)

const (
	stateDir   = "_mss"
	stagingDir = stateDir + "/staging"
)

func (b *Bucket) staging() string { return b.path(stagingDir) }

func isStaging(key string) bool {
	return key == stagingDir || strings.HasPrefix(key, stagingDir+"/")
}

// isTemp knows the names of copyOver.
func isTemp(name string) bool {
	return strings.HasPrefix(name, ".mss-") && strings.HasSuffix(name, ".tmp")
}

// create opens a file of the staging area and makes the area when it is not there. Another process may tidy
// the empty area away in between, hence the tries.
func (b *Bucket) create(name string, flags int) (f *os.File, err error) {
	for range 100 {
		if f, err = os.OpenFile(name, flags, 0o644); !gone(err) {
			return f, err
		}
		// MkdirAll says that the folder exists when it was there for a moment only.
		if err = os.MkdirAll(filepath.Dir(name), 0o755); err != nil && !gone(err) && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
	return nil, err
}

func (b *Bucket) temp() (*os.File, error) {
	return b.create(filepath.Join(b.staging(), b.who+ownerEnd+strings.ToLower(rand.Text())), os.O_CREATE|os.O_EXCL|os.O_WRONLY)
}

// tidy removes the staging area when nothing is in it; it fails quietly when something is.
func (b *Bucket) tidy() {
	if os.Remove(b.staging()) == nil {
		os.Remove(b.path(stateDir))
	}
}

// ownerEnd ends the owner in the name of a staged file.
const ownerEnd = "~"

// Unfinished knows the owners. Among what is staged are documents that a Write is about to move to their place.
func (b *Bucket) Unfinished(ctx context.Context) ([]blob.Unfinished, error) {
	if err := ctx.Err(); err != nil {
		return nil, b.fail("list", stagingDir, err)
	}
	entries, err := os.ReadDir(b.staging())
	if err != nil && !gone(err) {
		return nil, b.fail("list", stagingDir, err)
	}
	var all []blob.Unfinished
	for _, e := range entries {
		if owner, _, ok := strings.Cut(e.Name(), ownerEnd); ok {
			all = append(all, blob.Unfinished{Owner: owner, ID: e.Name()})
		}
	}
	return all, nil
}

// Discard removes a staged file.
func (b *Bucket) Discard(ctx context.Context, u blob.Unfinished) error {
	if err := ctx.Err(); err != nil {
		return b.fail("discard", stagingDir, err)
	}
	if path.Base(u.ID) != u.ID || !strings.Contains(u.ID, ownerEnd) {
		return b.fail("discard", stagingDir+"/"+u.ID, blob.ErrKey)
	}
	if err := os.Remove(filepath.Join(b.staging(), u.ID)); err != nil && !gone(err) {
		return b.fail("discard", stagingDir+"/"+u.ID, err)
	}
	b.tidy()
	return nil
}

// Stage begins a file in the staging area. Its Write goes straight to the file, without a buffer.
func (b *Bucket) Stage(ctx context.Context, key string) (blob.Staged, error) {
	if err := ctx.Err(); err != nil {
		return nil, b.fail("write", key, err)
	}
	if err := b.check(key); err != nil {
		return nil, b.fail("write", key, err)
	}
	f, err := b.temp()
	if err != nil {
		return nil, b.fail("write", key, err)
	}
	return &staged{ctx: ctx, b: b, key: key, f: f}, nil
}

type staged struct {
	ctx          context.Context
	b            *Bucket
	key          string
	f            *os.File
	err          error // the first one
	closed, done bool
}

func (s *staged) Write(p []byte) (int, error) {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err == nil && s.closed {
		s.err = os.ErrClosed
	}
	if s.err != nil {
		return 0, s.b.fail("write", s.key, s.err)
	}
	n, err := s.f.Write(p)
	if err != nil {
		s.err = err
		return n, s.b.fail("write", s.key, err)
	}
	return n, nil
}

func (s *staged) Close() error {
	if !s.closed {
		s.closed = true
		if s.err == nil {
			s.err = s.ctx.Err()
		}
		if s.err == nil {
			s.err = s.f.Sync()
		}
		if err := s.f.Close(); s.err == nil {
			s.err = err // a network file system tells of a full disk here
		}
	}
	if s.err != nil {
		return s.b.fail("write", s.key, s.err)
	}
	return nil
}

func (s *staged) Publish(ctx context.Context, cond blob.Cond) (blob.Object, error) {
	obj, err := s.publish(ctx, cond)
	if err != nil {
		return blob.Object{}, s.b.fail("publish", s.key, err)
	}
	return obj, nil
}

func (s *staged) publish(ctx context.Context, cond blob.Cond) (obj blob.Object, err error) {
	switch {
	case s.err != nil:
		return obj, s.err
	case s.done:
		return obj, errors.New("published or aborted already")
	case !s.closed:
		return obj, errors.New("not closed yet")
	}
	unlock, err := s.b.lock(ctx)
	if err != nil {
		return obj, err
	}
	defer unlock()
	if err := s.b.holds(s.key, cond); err != nil {
		return obj, err
	}
	obj, err = s.b.move(s.f.Name(), s.key, cond.IfNone)
	s.done = err == nil
	return obj, err
}

// Abort works after ctx has ended, since that is when it is needed.
func (s *staged) Abort(context.Context) error {
	if s.done {
		return nil
	}
	if !s.closed {
		s.closed = true
		s.f.Close()
	}
	if err := os.Remove(s.f.Name()); err != nil && !gone(err) {
		return s.b.fail("abort", s.key, err)
	}
	s.done = true
	s.b.tidy()
	return nil
}

// copyOver does what rename does when the dataset's folder is a mount or a link to another file system.
func copyOver(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp := filepath.Join(filepath.Dir(to), ".mss-"+strings.ToLower(rand.Text())+".tmp")
	out, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp)
		}
	}()
	if _, err = io.Copy(out, in); err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("copy to another file system: %w", err)
	}
	if fi, serr := in.Stat(); serr == nil {
		os.Chtimes(tmp, fi.ModTime(), fi.ModTime())
	}
	if err = os.Rename(tmp, to); err != nil {
		return err
	}
	os.Remove(from)
	return nil
}

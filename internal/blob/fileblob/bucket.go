// Package fileblob keeps the lake in a folder: an object is a file, its key the path below the folder.
//
// Objects change by rename alone, so a reader sees the old file or the new one. What is not published yet
// lies in _mss/staging of the place: the same file system, but no dataset's folder, and no name that ends
// in .parquet, so that neither List nor another program's **.parquet finds it.
//
// The ETag is made of size, modification and change time (ns) and inode. Every write of this package makes a new inode
// and stamps it with the clock's nanoseconds; a foreign program may rewrite a file in place, with the same
// size, within one tick of the kernel's clock (some ms): such an object is Weak.
//
// What is staged is synced to disk before it can be published, and what Write stores is synced, folder entry included. So after a
// power cut a document never speaks of data that is not there: the folder entry of a document is written after those of the data,
// in the order that the file system's journal keeps.
package fileblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mss/internal/blob"
)

// Bucket is a folder. It need not exist: it is empty then, and the first write makes it.
type Bucket struct {
	name string        // as the user wrote it
	root string        // absolute, so that a later chdir does not move the lake
	who  string        // the owner of what is staged, part of the name of its file
	turn chan struct{} // one changer at a time in this process; the lock file serves the others
}

var _ blob.Bucket = (*Bucket)(nil)

// Open makes a place of a folder, relative or absolute, or of a file:// URL with an absolute path. It touches
// nothing. The error wraps blob.ErrURL when dir names no folder.
func Open(dir string) (*Bucket, error) { return OpenFor(nobody, dir) }

const nobody = "nobody"

// OpenFor is Open for an owner: letters, digits and dashes that name the run, by which another process can tell what it left
// unfinished.
func OpenFor(owner, dir string) (*Bucket, error) {
	folder := dir
	if rest, ok := cutScheme(dir); ok {
		rest = strings.TrimPrefix(rest, "localhost")
		p, err := url.PathUnescape(rest)
		if err != nil {
			return nil, fmt.Errorf("open %s: %v: %w", dir, err, blob.ErrURL)
		}
		if !strings.HasPrefix(p, "/") {
			return nil, fmt.Errorf("open %s: a file URL is file:///absolute/folder; write a relative folder without file://: %w", dir, blob.ErrURL)
		}
		folder = p
	}
	if folder == "" || strings.IndexByte(folder, 0) >= 0 {
		return nil, fmt.Errorf("open %q: no folder: %w", dir, blob.ErrURL)
	}
	root, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if fi, err := os.Stat(root); err == nil && !fi.IsDir() {
		return nil, fmt.Errorf("open %s: it is a file, not a folder: %w", dir, blob.ErrURL)
	}
	return &Bucket{name: dir, root: root, who: owner, turn: make(chan struct{}, 1)}, nil
}

func cutScheme(dir string) (string, bool) {
	if len(dir) >= 7 && strings.EqualFold(dir[:7], "file://") {
		return dir[7:], true
	}
	return dir, false
}

// String is the folder as the user wrote it.
func (b *Bucket) String() string { return b.name }

// Location is the folder, the same for all ways to write it; symbolic links are followed as far as there is something.
func (b *Bucket) Location() string {
	missing := ""
	for dir := b.root; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, missing)
		}
		if dir == filepath.Dir(dir) {
			return b.root
		}
		missing = filepath.Join(filepath.Base(dir), missing)
	}
}

// Stat follows symbolic links; a folder is no object.
func (b *Bucket) Stat(ctx context.Context, key string) (blob.Object, error) {
	fi, err := b.stat(ctx, key)
	if err != nil {
		return blob.Object{}, b.fail("stat", key, err)
	}
	obj := object(key, fi)
	obj.Seen = time.Now()
	return obj, nil
}

func (b *Bucket) stat(ctx context.Context, key string) (fs.FileInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := b.check(key); err != nil {
		return nil, err
	}
	fi, err := os.Stat(b.path(key))
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, blob.ErrNotExist
	}
	return fi, nil
}

// ReadAll reads a small file whole.
func (b *Bucket) ReadAll(ctx context.Context, key string) ([]byte, blob.Object, error) {
	r, err := b.open(ctx, key, "")
	if err != nil {
		return nil, blob.Object{}, b.fail("read", key, err)
	}
	defer r.Close()
	data := make([]byte, r.obj.Size)
	if _, err := r.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, blob.Object{}, err
	}
	obj := r.obj
	obj.Seen = time.Now()
	return data, obj, nil
}

// check refuses keys outside the place and those of the staging area.
func (b *Bucket) check(key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if isStaging(key) || isTemp(path.Base(key)) {
		return fmt.Errorf("key %q is reserved for objects in the making: %w", key, blob.ErrKey)
	}
	return nil
}

func (b *Bucket) path(key string) string { return filepath.Join(b.root, filepath.FromSlash(key)) }

// weakTime is how long after a modification another one may leave the time of modification as it is: some file systems
// count in two seconds.
const weakTime = 2 * time.Second

func object(key string, fi fs.FileInfo) blob.Object {
	var inode uint64
	var changedAt int64
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		inode = uint64(st.Ino)
		changedAt = changed(st)
	}
	return blob.Object{
		Key: key, Size: fi.Size(), ModTime: fi.ModTime(), Weak: time.Since(fi.ModTime()) < weakTime || time.Since(time.Unix(0, changedAt)) < weakTime,
		ETag: fmt.Sprintf("%x-%x-%x-%x", fi.Size(), fi.ModTime().UnixNano(), changedAt, inode),
	}
}

// fail names the act and the object once, whatever the system said.
func (b *Bucket) fail(act, key string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	reading := act == "stat" || act == "read"
	switch {
	case reading && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)):
		err = blob.ErrNotExist
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		err = fmt.Errorf("%w; free some space and run again", err)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; the user that runs mss needs the right to it", err)
	}
	return fmt.Errorf("%s %s: %w", act, filepath.Join(b.name, filepath.FromSlash(key)), err)
}

package fileblob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"mss/internal/blob"
)

// List walks the folder. Symbolic links to files and folders are followed, a folder that contains itself only
// once. A link to nothing is an error, since a file that is away is not a file that was never there, unless its
// name begins with a dot (editors make such locks). Sockets, pipes and devices are no objects.
func (b *Bucket) List(ctx context.Context, prefix string) ([]blob.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list %s: %w", b.name, err)
	}
	// Only the folder that the prefix names has to be walked.
	var start string
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		start = prefix[:i]
		if blob.CheckKey(start) != nil {
			return nil, nil // no key begins like that
		}
	}
	w := walk{ctx: ctx, b: b, prefix: prefix}
	var above []fs.FileInfo
	for dir := start; dir != "" && dir != "."; {
		dir = path.Dir(dir)
		if fi, err := os.Stat(b.path(dir)); err == nil {
			above = append(above, fi)
		}
	}
	if err := w.folder(start, above); err != nil {
		return nil, err
	}
	// Folder by folder is not the order of keys: "a.b" sorts before "a/b", though the folder is "a".
	slices.SortFunc(w.found, func(x, y blob.Object) int { return strings.Compare(x.Key, y.Key) })
	return w.found, nil
}

type walk struct {
	ctx    context.Context
	b      *Bucket
	prefix string
	found  []blob.Object
}

// folder lists the folder at key ("" is the place itself); above holds the folders that it lies in.
func (w *walk) folder(key string, above []fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return w.b.fail("list", key, err)
	}
	if isStaging(key) {
		return nil
	}
	self, err := os.Stat(w.b.path(key))
	if gone(err) || errors.Is(err, syscall.ENOTDIR) || err == nil && !self.IsDir() {
		return nil
	}
	if err != nil {
		return w.b.fail("list", key, err)
	}
	for _, fi := range above {
		if os.SameFile(fi, self) {
			return nil
		}
	}
	entries, err := os.ReadDir(w.b.path(key))
	if gone(err) {
		return nil
	}
	if err != nil {
		return w.b.fail("list", key, err)
	}
	above = append(above[:len(above):len(above)], self)
	for _, e := range entries {
		if err := w.entry(path.Join(key, e.Name()), e, above); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(key string, e fs.DirEntry, above []fs.FileInfo) error {
	if isStaging(key) || isTemp(e.Name()) {
		return nil
	}
	match := strings.HasPrefix(key, w.prefix)
	if !match && !strings.HasPrefix(key+"/", w.prefix) && !strings.HasPrefix(w.prefix, key+"/") {
		return nil
	}
	if e.IsDir() {
		return w.folder(key, above)
	}
	if e.Type()&fs.ModeSymlink == 0 {
		if !match || !e.Type().IsRegular() {
			return nil
		}
		fi, err := e.Info()
		return w.add(key, fi, err)
	}
	fi, err := os.Stat(w.b.path(key))
	switch {
	case err != nil && strings.HasPrefix(e.Name(), "."):
		return nil
	case err != nil:
		if _, lerr := os.Lstat(w.b.path(key)); gone(lerr) {
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("a symbolic link to nothing; restore what it points to, or remove it")
		}
		return w.b.fail("list", key, err)
	case fi.IsDir():
		return w.folder(key, above)
	case match && fi.Mode().IsRegular():
		return w.add(key, fi, nil)
	}
	return nil
}

func (w *walk) add(key string, fi fs.FileInfo, err error) error {
	switch {
	case gone(err): // deleted since the folder was read
	case err != nil:
		return w.b.fail("list", key, err)
	default:
		w.found = append(w.found, object(key, fi))
	}
	return nil
}

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

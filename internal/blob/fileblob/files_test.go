package fileblob_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/blob/fileblob"
)

var ctx = context.Background()

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// files lists every file and folder below dir, whatever the driver thinks of it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); rel != "." {
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func list(t *testing.T, b blob.Bucket, prefix string) []string {
	t.Helper()
	found, err := b.List(ctx, prefix)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range found {
		keys = append(keys, o.Key)
	}
	return keys
}

// A file that is edited in place while it is read is noticed, whichever way it changes.
func TestFileChangesWhileRead(t *testing.T) {
	const content = "user_id,track_id,listen_time\n1,a,2024-06-25 17:43:13\n"
	for name, edit := range map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(path, 10) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"appended": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString("2,b,2024-06-25 17:43:14\n")
				f.Close()
			}
			return err
		},
		"overwritten": func(path string) error { return os.WriteFile(path, []byte(strings.ToUpper(content)), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x.csv")
			put(t, path, content)
			b := open(t, dir)
			found, err := b.List(ctx, "")
			if err != nil {
				t.Fatal(err)
			}
			r, err := b.Open(ctx, found[0])
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			s, err := r.Stream(ctx, 0, found[0].Size)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := io.ReadFull(s, make([]byte, 5)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(15 * time.Millisecond) // the kernel's clock ticks in some ms
			if err := edit(path); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(s); !errors.Is(err, blob.ErrChanged) || !strings.Contains(err.Error(), "x.csv") {
				t.Errorf("the stream ended with %v, want ErrChanged with the file's name", err)
			}
			if _, err := r.ReadAt(make([]byte, 4), 0); !errors.Is(err, blob.ErrChanged) {
				t.Errorf("ReadAt: %v, want ErrChanged", err)
			}
			if _, err := b.Open(ctx, found[0]); !errors.Is(err, blob.ErrChanged) {
				t.Errorf("Open: %v, want ErrChanged", err)
			}
		})
	}
}

// Change after the last byte, before the end is asked for, counts as well.
func TestFileGrowsAtItsEnd(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "x"), "12345")
	b := open(t, dir)
	obj, err := b.Stat(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Open(ctx, obj)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := r.Stream(ctx, 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "x"), "1234567890")
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("end of a file that grew: %v, want ErrChanged", err)
	}
}

// No other program that reads mss-transformed/**.parquet, at any depth of the place, meets half a file.
func TestStagingIsOutOfSight(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "curated")
	b := open(t, dir)
	s, err := b.Stage(ctx, "mss-transformed/x/a.csv.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("PAR1")); err != nil {
		t.Fatal(err)
	}
	var staged []string
	for _, name := range files(t, dir) {
		if strings.HasSuffix(name, ".parquet") || strings.HasPrefix(name, "mss-transformed") {
			t.Errorf("staged at %s", name)
		}
		if strings.HasPrefix(name, "_mss/staging/") {
			staged = append(staged, name)
		}
	}
	if left, err := b.Unfinished(ctx); err != nil || len(left) != 1 || !slices.Equal(staged, []string{"_mss/staging/" + left[0].ID}) {
		t.Errorf("unfinished %v, %v; on disk %q", left, err, staged)
	}
	if got := list(t, b, "_mss/"); len(got) != 0 {
		t.Errorf("listed %q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Publish(ctx, blob.Cond{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"mss-transformed", "mss-transformed/x", "mss-transformed/x/a.csv.parquet"}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("on disk after Publish: %q, want %q", got, want)
	}
	for _, key := range []string{"_mss/staging/x", "_mss/staging"} {
		if _, err := b.Write(ctx, key, nil, blob.Cond{}); !errors.Is(err, blob.ErrKey) {
			t.Errorf("write %s: %v, want ErrKey", key, err)
		}
	}
}

func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	dir := filepath.Join(t.TempDir(), "lake")
	b := open(t, dir)
	if _, err := b.Write(ctx, "_mss/doc.json", []byte("{}"), blob.Cond{}); err != nil {
		t.Fatal(err)
	}
	s, err := b.Stage(ctx, "d/x.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), func() error { _, err := s.Publish(ctx, blob.Cond{}); return err }()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"_mss/doc.json": 0o644, "d/x.parquet": 0o644, "d": 0o755, ".": 0o755} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", name, fi.Mode().Perm(), err, want)
		}
	}
}

func TestDeleteRemovesEmptyFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	put(t, filepath.Join(dir, "q/a/b/x.jsonl"), "1")
	put(t, filepath.Join(dir, "q/y.jsonl"), "2")
	b := open(t, dir)
	if err := b.Delete(ctx, "q/a/b/x.jsonl"); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"q", "q/y.jsonl"}) {
		t.Errorf("left %q", got)
	}
	if err := b.Delete(ctx, "q/y.jsonl"); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("left %q, want the empty place itself", got)
	}
}

func TestListFollowsLinks(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "raw")
	put(t, filepath.Join(dir, "streams/a.csv"), "a")
	put(t, filepath.Join(top, "elsewhere/b.csv"), "b")
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link(filepath.Join(top, "elsewhere"), "streams/linked")
	link(filepath.Join(top, "elsewhere/b.csv"), "streams/b.csv")
	link("..", "streams/loop")
	link(".", "self")
	link("editor@host.123", "streams/.#a.csv")
	if err := syscall.Mkfifo(filepath.Join(dir, "streams/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir)
	want := []string{"streams/a.csv", "streams/b.csv", "streams/linked/b.csv"}
	for _, prefix := range []string{"", "streams/", "streams"} {
		if got := list(t, b, prefix); !slices.Equal(got, want) {
			t.Errorf("prefix %q: listed %q, want %q", prefix, got, want)
		}
	}
	if got := list(t, b, "streams/linked/"); !slices.Equal(got, want[2:]) {
		t.Errorf("listed %q", got)
	}
	if _, _, err := b.ReadAll(ctx, "streams/pipe"); !errors.Is(err, blob.ErrNotExist) {
		t.Errorf("read a pipe: %v", err)
	}
	// A file on a disk that is not mounted is not a file that is not there.
	link(filepath.Join(top, "unmounted/c.csv"), "streams/c.csv")
	if _, err := b.List(ctx, ""); err == nil || !strings.Contains(err.Error(), "c.csv") {
		t.Errorf("a link to nothing: %v, want an error that names it", err)
	}
}

const helperDir = "MSS_TEST_FILEBLOB_COUNTER"

// TestWritersInProcesses counts up from several processes; a lost update would show in the sum.
func TestWritersInProcesses(t *testing.T) {
	if dir := os.Getenv(helperDir); dir != "" {
		count(t, dir)
		return
	}
	dir := t.TempDir()
	b := open(t, dir)
	if _, err := b.Write(ctx, "_mss/counter", []byte("0"), blob.Cond{}); err != nil {
		t.Fatal(err)
	}
	var writers []*exec.Cmd
	for range 4 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWritersInProcesses$")
		cmd.Env = append(os.Environ(), helperDir+"="+dir)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		writers = append(writers, cmd)
	}
	for _, cmd := range writers {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a writer: %v", err)
		}
	}
	data, _, err := b.ReadAll(ctx, "_mss/counter")
	if err != nil || string(data) != "100" {
		t.Errorf("4 processes counted 25 each to %s, %v", data, err)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"_mss", "_mss/counter"}) {
		t.Errorf("left %q", got)
	}
}

func count(t *testing.T, dir string) {
	b := open(t, dir)
	for done := 0; done < 25; {
		data, obj, err := b.ReadAll(ctx, "_mss/counter")
		if errors.Is(err, blob.ErrChanged) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(string(data))
		switch _, err := b.Write(ctx, "_mss/counter", []byte(strconv.Itoa(n+1)), blob.Cond{IfMatch: obj.ETag}); {
		case err == nil:
			done++
		case !errors.Is(err, blob.ErrPrecondition):
			t.Fatal(err)
		}
	}
}

// TestManyWriters stages objects at the same time: the staging area comes and goes meanwhile.
func TestManyWriters(t *testing.T) {
	b, err := fileblob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			for range 1000 {
				s, err := b.Stage(ctx, "_mss/x")
				if err != nil {
					return err
				}
				if err := s.Abort(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

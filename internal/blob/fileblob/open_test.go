package fileblob_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/fileblob"
)

func TestOpenFolders(t *testing.T) {
	dir := t.TempDir()
	spaced := filepath.Join(dir, "my lake")
	put(t, filepath.Join(spaced, "x"), "1")
	t.Chdir(dir)
	for _, name := range []string{spaced, "my lake", "./my lake/", "file://" + dir + "/my%20lake", "FILE://localhost" + spaced} {
		b := open(t, name)
		if b.String() != name {
			t.Errorf("%q calls itself %q", name, b)
		}
		if got := list(t, b, ""); len(got) != 1 {
			t.Errorf("%q lists %q", name, got)
		}
	}
	// A relative place stays where it was when the process goes elsewhere.
	b := open(t, "my lake")
	t.Chdir(os.TempDir())
	if got := list(t, b, ""); len(got) != 1 {
		t.Errorf("after chdir: %q", got)
	}
	if got := list(t, open(t, filepath.Join(dir, "none")), ""); len(got) != 0 {
		t.Errorf("a missing folder lists %q", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	put(t, file, "1")
	for _, name := range []string{"", "file://", "file://host/x", "file://relative", "file:///%zz", file, "a\x00b"} {
		if b, err := fileblob.Open(name); !errors.Is(err, blob.ErrURL) {
			t.Errorf("open %q: %v, %v; want ErrURL", name, b, err)
		}
	}
}

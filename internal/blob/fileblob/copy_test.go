package fileblob

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"mss/internal/blob"
)

// A dataset's folder may be a link to another disk, where rename cannot go.
func TestCopyOver(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "staged"), filepath.Join(dir, "d", "x.parquet")
	for path, content := range map[string]string{from: "new", to: "old"} {
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stamp := time.Unix(1_700_000_000, 123)
	os.Chtimes(from, stamp, stamp)
	if err := copyOver(from, to); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(to); err != nil || string(data) != "new" {
		t.Errorf("target holds %q, %v", data, err)
	}
	if fi, err := os.Stat(to); err != nil || !fi.ModTime().Equal(stamp) {
		t.Errorf("target's time is %v, %v", fi.ModTime(), err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*", ".*")); len(names) != 0 {
		t.Errorf("left %q", names)
	}
	if _, err := os.Stat(from); !os.IsNotExist(err) {
		t.Errorf("the staged file is still there: %v", err)
	}
	// What a killed copy leaves is no object.
	os.WriteFile(filepath.Join(dir, "d", ".mss-abc.tmp"), []byte("half"), 0o644)
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	found, err := b.List(t.Context(), "")
	if err != nil || len(found) != 1 {
		t.Errorf("listed %v, %v", found, err)
	}
	if _, err := b.Write(t.Context(), "d/.mss-abc.tmp", nil, blob.Cond{}); err == nil {
		t.Error("a temporary name can be written")
	}
}

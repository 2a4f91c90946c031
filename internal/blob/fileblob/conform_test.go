package fileblob_test

import (
	"path/filepath"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/blob/fileblob"
)

func open(t testing.TB, dir string) *fileblob.Bucket {
	t.Helper()
	b, err := fileblob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t testing.TB) blob.Bucket { return open(t, filepath.Join(t.TempDir(), "lake")) })
}

package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mss/internal/config"
	"mss/internal/lake"
)

func TestPlacesLieApart(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("AWS_REGION", "eu-west-1")
	if err := os.MkdirAll("lake/mss-transformed", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("lake", "link"); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ raw, curated, analytics, temp, want string }{
		{"raw", "curated", "analytics", "temp", ""},
		{"lake", "lake", "lake", "lake", ""},
		{"lake/raw", "lake", "lake/kpis", "lake/temp", ""},
		{"raw", "lake", "lake/mss-transformed-2", "temp", ""},
		{"s3://lab/raw", "s3://lab", "s3://lab/analytics", "s3://lab/raw-temp", ""},
		{"raw", "lake", "lake/mss-transformed", "temp", "--analytics lake/mss-transformed lies in mss-transformed/ of --curated lake, which mss writes itself"},
		{"raw", "link", filepath.Join(here, "lake/mss-transformed/new"), "temp", "lies in mss-transformed/ of --curated link"},
		{"raw", "raw/streams/out", "analytics", "temp", "--curated raw/streams/out lies in streams/ of --raw raw, which mss reads"},
		{"s3://lab/curated/quarantine", "s3://lab/curated/", "analytics", "temp", "lies in quarantine/ of --curated s3://lab/curated"},
		{"raw", "curated", "analytics", "analytics/_mss", "lies in _mss/ of --analytics analytics"},
	} {
		_, err := openPlaces(context.Background(), &config.Config{Raw: c.raw, Curated: c.curated, Analytics: c.analytics, Temp: c.temp, Threads: 1}, "")
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%v: %v", c, err)
		case c.want != "" && (!errors.Is(err, lake.ErrUsage) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v: the error is %v", c, err)
		}
	}
}

func TestBuffersFollowTheMemoryLimit(t *testing.T) {
	for _, threads := range []int{1, 2, 8, 64} {
		if parts, uploads := transfer(0, threads); parts != usualParts || uploads != threads+2 {
			t.Errorf("no limit, %d threads: %d, %d", threads, parts, uploads)
		}
		for limit := int64(32 << 20); limit <= 8<<30; limit *= 2 {
			parts, uploads := transfer(limit, threads)
			if parts < 1 || parts > usualParts || uploads < 1 || uploads > threads+2 {
				t.Errorf("%d bytes, %d threads: %d parts, %d uploads", limit, threads, parts, uploads)
			}
			all := int64(threads*parts+uploads) * part
			if least := int64(threads+1) * part; all > max(limit/4, least+limit/8) {
				t.Errorf("%d bytes, %d threads: buffers of %d bytes", limit, threads, all)
			}
		}
	}
}

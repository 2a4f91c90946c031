package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"mss/internal/blob/s3test"
	"mss/internal/mototest"
)

// onAWS puts a lake into a real S3 server and the catalog into moto, and returns the flags of its places.
func onAWS(t *testing.T) []string {
	t.Helper()
	s3 := s3test.New(t)
	s3.Setenv(t)
	moto := mototest.New(t)
	t.Setenv("AWS_ENDPOINT_URL", moto.URL)
	t.Setenv("AWS_ENDPOINT_URL_S3", s3.Endpoint)
	t.Chdir(t.TempDir())
	return []string{"--raw", s3.URL + "/raw", "--curated", s3.URL + "/curated", "--analytics", s3.URL + "/analytics", "--temp", s3.URL + "/temp"}
}

func TestCatalog(t *testing.T) {
	places := onAWS(t)
	run := func(args ...string) result {
		t.Helper()
		r := mss(t, nil, append(args, places...)...)
		if r.code != 0 {
			t.Fatalf("mss %v: exit code %d, %s", args, r.code, r.stderr)
		}
		return r
	}
	if r := run("catalog", "sync"); !strings.Contains(r.stdout, "nothing to describe yet") {
		t.Errorf("an empty lake: %s", r.stdout)
	}
	run("generate", "--plays", "2000")
	run("run", "all")
	actions := func(args ...string) map[string]string {
		t.Helper()
		var rows []struct {
			Table, Action, Location string
			Rows, Objects           int64
		}
		if err := json.Unmarshal([]byte(run(append(args, "--output", "json")...).stdout), &rows); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, r := range rows {
			got[r.Table] = r.Action
			if r.Rows == 0 || r.Objects == 0 || !strings.HasPrefix(r.Location, "s3://") || !strings.HasSuffix(r.Location, "/") {
				t.Errorf("%+v", r)
			}
		}
		return got
	}
	for _, step := range []struct{ command, want string }{
		{"show", "created"}, {"sync", "created"}, {"sync", "unchanged"}, {"show", "unchanged"},
	} {
		got := actions("catalog", step.command)
		for _, name := range []string{"processed_songs_table", "processed_users_table", "dim-music-streaming", "dim_music_streaming", "kpi_table"} {
			if got[name] != step.want {
				t.Errorf("%s: %s is %q, want %q", step.command, name, got[name], step.want)
			}
		}
	}
	if r := run("catalog", "show"); !strings.Contains(r.stdout, "dim_music_streaming") {
		t.Errorf("the table: %s", r.stdout)
	}
}

func TestCatalogOfFolders(t *testing.T) {
	t.Chdir(t.TempDir())
	r := mss(t, nil, "catalog", "sync")
	if r.code != 2 || !strings.Contains(r.stderr, "lake/curated is not on S3") || !strings.Contains(r.stderr, "--catalog none") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}

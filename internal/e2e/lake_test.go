package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mss/internal/cli"
	"mss/internal/oracle"
)

// site is a set of places and a warehouse of one test.
type site struct {
	raw, curated, analytics, temp string            // as the program is told
	folders                       map[string]string // where they are on disk
	warehouse                     string
	direct                        string // the warehouse for a look past the proxy before it, if there is one
}

// newSite makes the places in a folder of the test's own, with the raw lake in it.
func newSite(t *testing.T, raw oracle.Lake) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{
		raw: filepath.Join(dir, "raw"), curated: filepath.Join(dir, "curated"),
		analytics: filepath.Join(dir, "analytics"), temp: filepath.Join(dir, "temp"),
		warehouse: "sqlite:" + filepath.Join(dir, "warehouse.db"),
	}
	s.folders = map[string]string{"raw": s.raw, "curated": s.curated, "analytics": s.analytics}
	if err := raw.Write(s.raw); err != nil {
		t.Fatal(err)
	}
	return s
}

// outcome is what a run of the program gave.
type outcome struct {
	code           int
	stdout, stderr string
}

// mss runs the program on the site's places.
func (s *site) mss(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Main(context.Background(), s.withPlaces(args), strings.NewReader(""), &stdout, &stderr, nil)
	return outcome{code, stdout.String(), stderr.String()}
}

func (s *site) withPlaces(args []string) []string {
	return append(args[:len(args):len(args)], "--raw", s.raw, "--curated", s.curated, "--analytics", s.analytics,
		"--temp", s.temp, "--warehouse", s.warehouse)
}

// replaceRaw puts another raw lake in the place of the one there is.
func (s *site) replaceRaw(t *testing.T, l oracle.Lake) {
	t.Helper()
	if err := os.RemoveAll(s.folders["raw"]); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(s.folders["raw"]); err != nil {
		t.Fatal(err)
	}
}

// must runs the program and wants it to succeed.
func (s *site) must(t *testing.T, args ...string) outcome {
	t.Helper()
	o := s.mss(t, args...)
	if o.code != 0 {
		t.Fatalf("mss %s: exit %d\n%s", strings.Join(args, " "), o.code, o.stderr)
	}
	return o
}

// fails runs the program and wants this exit code, and these words on stderr.
func (s *site) fails(t *testing.T, code int, words []string, args ...string) {
	t.Helper()
	o := s.mss(t, args...)
	if o.code != code {
		t.Fatalf("mss %s: exit %d, want %d\n%s", strings.Join(args, " "), o.code, code, o.stderr)
	}
	for _, w := range words {
		if !strings.Contains(o.stderr, w) {
			t.Errorf("mss %s does not say %q:\n%s", strings.Join(args, " "), w, o.stderr)
		}
	}
}

// everything lists a place with the content of its objects. A place that nobody wrote to is empty.
func (s *site) everything(t *testing.T, place string) oracle.Lake {
	t.Helper()
	all, err := oracle.ReadLake(s.folders[place])
	if errors.Is(err, fs.ErrNotExist) {
		return oracle.Lake{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// objects is everything but for the tool's own state and the S3 server's.
func (s *site) objects(t *testing.T, place string) oracle.Lake {
	t.Helper()
	all := s.everything(t, place)
	maps.DeleteFunc(all, func(key string, _ []byte) bool {
		return strings.HasPrefix(key, "_mss/") || strings.Contains(key, ".sgwtmp")
	})
	return all
}

// data is every data object of the curated and the analytics place.
func (s *site) data(t *testing.T) oracle.Lake {
	t.Helper()
	all := oracle.Lake{}
	for _, place := range []string{"curated", "analytics"} {
		for key, data := range s.objects(t, place) {
			all[place+"/"+key] = data
		}
	}
	return all
}

// same wants two sets of objects to be equal, in names and bytes.
func same(t *testing.T, what string, got, want oracle.Lake) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if old, ok := want[key]; !ok {
			t.Errorf("%s: %s is new", what, key)
		} else if !bytes.Equal(got[key], old) {
			t.Errorf("%s: %s has %d other bytes than the %d of before", what, key, len(got[key]), len(old))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[key]; !ok {
			t.Errorf("%s: %s is gone", what, key)
		}
	}
}

// names lists the keys below a prefix.
func names(l oracle.Lake, prefix string) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if strings.HasPrefix(key, prefix) {
			out = append(out, key)
		}
	}
	return out
}

// songs, users and plays make a small raw lake of text without headers.
func raw(songs, users, plays string) oracle.Lake {
	return oracle.Lake{
		"metadata/songs.csv": []byte("track_id,artists,track_name,popularity,duration_ms,track_genre\n" + songs),
		"metadata/users.csv": []byte("user_id,created_at\n" + users),
		"streams/a.csv":      []byte("user_id,track_id,listen_time\n" + plays),
	}
}

// plenty is a raw lake of n good plays, for tests that are not about content.
func plenty(n int) oracle.Lake {
	var plays strings.Builder
	for i := range n {
		fmt.Fprintf(&plays, "%d,t%d,2024-06-01 %02d:00:00\n", i%3, i%2, i%24)
	}
	return raw("t0,A,one,1,100,pop\nt1,B,two,2,200,rock\n", "0,2020-01-01\n1,2020-01-02\n2,\n", plays.String())
}

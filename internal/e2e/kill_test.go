package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
	"mss/internal/oracle"
	"mss/internal/redshift/pgtest"
	"mss/internal/schema"
)

// killStep says how many requests lie between two kills of TestKilledOnS3: 1 kills at every request, which `make test-kills` does.
func killStep() int {
	if os.Getenv("MSS_TEST_KILLS") == "all" {
		return 1
	}
	return 20
}

// s3Site is a site on a real S3 server, behind a proxy, with a real PostgreSQL.
type s3Site struct {
	*site
	*proxy
	raw    blob.Bucket
	server *s3test.Server
}

func newS3Site(t *testing.T) *s3Site {
	t.Helper()
	server := s3test.New(t)
	server.Setenv(t)
	s := &s3Site{proxy: newProxy(t, server), server: server, site: &site{
		raw: server.URL + "/raw", curated: server.URL + "/curated", analytics: server.URL + "/analytics", temp: server.URL + "/temp",
		folders: map[string]string{}, warehouse: pgtest.New(t),
	}}
	for _, place := range []string{"raw", "curated", "analytics", "temp"} {
		s.folders[place] = filepath.Join(server.Dir, place)
	}
	var err error
	if s.raw, err = s3blob.Open(t.Context(), server.URL+"/raw", s3blob.Options{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// put makes the raw place hold just this lake.
func (s *s3Site) put(t *testing.T, l oracle.Lake) {
	t.Helper()
	all, err := s.raw.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if _, ok := l[o.Key]; !ok {
			if err := s.raw.Delete(t.Context(), o.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	for key, data := range l {
		if _, err := s.raw.Write(t.Context(), key, data, blob.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
}

// behind is the environment of a process that reaches the server through the proxy.
func (s *s3Site) behind() []string { return []string{"AWS_ENDPOINT_URL=" + s.proxy.URL} }

// uploads are the multipart uploads that the server knows.
func (s *s3Site) uploads(t *testing.T) (found []string) {
	t.Helper()
	_ = filepath.WalkDir(filepath.Join(s.server.Dir, ".sgwtmp"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// TestKilledOnS3 kills the real program with SIGKILL at requests to a real S3 server, before the server has done them and after. One run more
// leaves the same bytes as a run that nobody kills, no upload, and no doubled row.
func TestKilledOnS3(t *testing.T) {
	s := newS3Site(t)
	var lakes, datas [2]oracle.Lake
	var tables [2]string
	args := []string{"run", "all", "--max-reject-ratio", "1", "--on-missing-source", "remove", "--threads", "2"}
	for i := range lakes {
		lakes[i] = sameKeys(t, oracle.Hazard{Seed: uint64(80 + i), Songs: 60, Users: 20, Plays: 200, Files: 3, Bad: 0.05}.New())
	}
	lakes[1]["streams/more.csv"] = lakes[1]["streams/0.csv"]
	for i := range lakes {
		s.put(t, lakes[i])
		s.must(t, args...)
		s.check(t, expect(t, lakes[i], schema.Corrected))
		datas[i], tables[i] = s.data(t), s.tableText(t)
	}
	killed := 0
	for at, step := 1, 0; ; step++ {
		to := step % 2
		s.put(t, lakes[to])
		after := step%4 >= 2
		var victim *process
		ready := make(chan struct{})
		hit := false
		s.watch(func(n int, r *http.Request) (func(), func()) {
			if n != at {
				return nil, nil
			}
			kill := func() {
				<-ready
				hit = true
				_ = victim.Process.Signal(syscall.SIGKILL)
				_, _ = victim.Process.Wait()
			}
			if after {
				return nil, kill
			}
			return kill, nil
		})
		victim = s.start(t, s.behind(), args...)
		close(ready)
		_ = victim.Wait()
		requests := s.seen()
		what := "the end"
		if hit && at <= len(requests) {
			what = fmt.Sprintf("request %d, after=%v: %s", at, after, requests[at-1])
			killed++
		}
		for key, data := range s.data(t) {
			if !bytes.Equal(data, datas[0][key]) && !bytes.Equal(data, datas[1][key]) && !strings.HasPrefix(key, "curated/quarantine/") {
				t.Errorf("%s: %s is neither old nor new", what, key)
			}
		}
		if table := s.tableText(t); table != tables[0] && table != tables[1] {
			t.Errorf("%s: kpi_table is neither old nor new", what)
		}
		s.watch(nil)
		again := s.start(t, s.behind(), args...)
		if code := again.code(); code != 0 {
			t.Fatalf("%s: the run after: exit %d\n%s", what, code, &again.out)
		}
		same(t, what+": the run after", s.data(t), datas[to])
		if s.tableText(t) != tables[to] {
			t.Errorf("%s: kpi_table is not that of the run after", what)
		}
		if left := s.uploads(t); len(left) > 0 {
			t.Errorf("%s: uploads are left: %v", what, left)
		}
		if left := names(s.everything(t, "temp"), ""); len(left) > 0 {
			t.Errorf("%s: left in temp: %v", what, left)
		}
		if t.Failed() {
			return
		}
		if !hit {
			break
		}
		if step%4 == 3 { // each point for both lakes, before and after
			at += killStep()
		}
	}
	if killed < 20 {
		t.Errorf("only %d runs were killed", killed)
	}
	t.Logf("%d runs were killed", killed)
}

// TestKilledInFolder kills the real program at random moments.
func TestKilledInFolder(t *testing.T) {
	var lakes, datas [2]oracle.Lake
	var tables [2]string
	s := newSite(t, oracle.Lake{})
	args := []string{"run", "all", "--max-reject-ratio", "1", "--on-missing-source", "remove"}
	var took time.Duration
	for i := range lakes {
		lakes[i] = sameKeys(t, oracle.Hazard{Seed: uint64(90 + i), Songs: 200, Users: 50, Plays: 3000, Files: 6, Bad: 0.02}.New())
		s.replaceRaw(t, lakes[i])
		began := time.Now()
		if p := s.start(t, nil, args...); p.code() != 0 {
			t.Fatal(p.out.String())
		}
		took = time.Since(began)
		datas[i], tables[i] = s.data(t), s.tableText(t)
	}
	r := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for step := range 30 {
		to := step % 2
		s.replaceRaw(t, lakes[to])
		victim := s.start(t, nil, args...)
		time.Sleep(time.Duration(r.Int64N(int64(took))))
		_ = victim.Process.Signal(syscall.SIGKILL)
		// How long a run takes depends on what else the machine does: about three of four are to be killed, early or late.
		if victim.code() == -1 {
			killed++
			took += took / 8
		} else {
			took -= took / 4
		}
		if again := s.start(t, nil, args...); again.code() != 0 {
			t.Fatalf("step %d: the run after: %s", step, &again.out)
		}
		same(t, fmt.Sprintf("step %d", step), s.data(t), datas[to])
		if s.tableText(t) != tables[to] {
			t.Errorf("step %d: kpi_table is not that of the run after", step)
		}
		for _, place := range []string{"curated", "analytics"} {
			left, _ := filepath.Glob(filepath.Join(s.folders[place], "_mss/staging/*"))
			// The lock of a change has died with its process; the next change in the place removes its file.
			left = slices.DeleteFunc(left, func(name string) bool { return filepath.Base(name) == "change.lock" })
			if len(left) > 0 {
				t.Errorf("step %d: left: %v", step, left)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d of 30 runs were killed", killed)
	if killed < 10 {
		t.Errorf("only %d of 30 runs were killed", killed)
	}
}

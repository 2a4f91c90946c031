package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mss/internal/oracle"
	"mss/internal/schema"
)

// TestTwoProcesses starts two processes at once, fifty times, each time with something to do: one does it, and the other says that it is being
// done, or comes when it is done.
func TestTwoProcesses(t *testing.T) {
	lakes := [2]oracle.Lake{}
	for i := range lakes {
		lakes[i] = sameKeys(t, oracle.Hazard{Seed: uint64(70 + i), Songs: 100, Users: 30, Plays: 1000, Files: 4}.New())
	}
	s := newSite(t, lakes[0])
	locked := 0
	for try := range 50 {
		lake := lakes[try%2]
		s.replaceRaw(t, lake)
		args := []string{"run", "all"}
		if try%5 == 4 {
			args = append(args, "--lock-wait", "1m")
		}
		var codes [2]int
		var said [2]string
		var wg sync.WaitGroup
		for i := range codes {
			p := s.start(t, nil, args...)
			wg.Go(func() { codes[i], said[i] = p.code(), p.out.String() })
		}
		wg.Wait()
		for i, code := range codes {
			switch {
			case code == 4 && len(args) == 2 && strings.Contains(said[i], "another run holds the lock") && codes[1-i] == 0:
				locked++
			case code != 0:
				t.Fatalf("try %d: exit codes %v\n%s\n%s", try, codes, said[0], said[1])
			}
		}
		if try%10 < 2 {
			s.check(t, expect(t, lake, schema.Corrected))
		}
		if t.Failed() {
			t.Fatalf("try %d: exit codes %v", try, codes)
		}
	}
	if locked < 20 {
		t.Errorf("in only %d of 40 tries the two met", locked)
	}
}

// TestStoppedHolder stops a run on S3 at one of its requests, lets its lease run out, has another run take over and publish other plays, and wakes
// the first one up again: it cannot publish any more.
func TestStoppedHolder(t *testing.T) {
	points := []string{
		"GET /curated/processed-metadata/songs/songs.parquet",
		"PUT /curated/mss-transformed/0.csv.parquet?partNumber=1",
		"PUT /curated/_mss/mss-transformed/pending.json",
		"POST /curated/mss-transformed/0.csv.parquet?uploadId",
		"PUT /curated/_mss/mss-transformed/snapshot.json",
		"POST /analytics/kpi_output/kpi_type%3Dgenre/kpi.parquet?uploadId",
		"PUT /analytics/_mss/kpi_output/snapshot.json",
	}
	var lakes [3]oracle.Lake
	for i := range lakes {
		lakes[i] = sameKeys(t, oracle.Hazard{Seed: uint64(75 + i), Songs: 60, Users: 20, Plays: 200, Files: 3}.New())
	}
	last := expect(t, lakes[2], schema.Corrected)
	args := []string{"run", "all", "--lock-ttl", "5s"}
	type try struct {
		*s3Site
		point   string
		stopped chan struct{}
		p       *process
	}
	var tries []*try
	for _, point := range points {
		y := &try{s3Site: newS3Site(t), point: point, stopped: make(chan struct{})}
		y.put(t, lakes[0])
		if p := y.start(t, nil, args...); p.code() != 0 {
			t.Fatal(p.out.String())
		}
		y.put(t, lakes[1])
		ready := make(chan struct{})
		var once sync.Once
		y.watch(func(_ int, r *http.Request) (func(), func()) {
			// The bucket is the first part of the path.
			_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.RequestURI(), "/"), "/")
			if !strings.HasPrefix(r.Method+" /"+path, y.point) {
				return nil, nil
			}
			return nil, func() {
				once.Do(func() {
					<-ready
					stop(y.p)
					close(y.stopped)
				})
			}
		})
		y.p = y.start(t, y.behind(), args...)
		close(ready)
		tries = append(tries, y)
	}
	for _, y := range tries {
		select {
		case <-y.stopped:
		case <-time.After(time.Minute):
			t.Fatalf("no request %s among %s\n%s", y.point, strings.Join(y.seen(), "\n"), &y.p.out)
		}
		y.put(t, lakes[2])
		// It waits until the lease is over, and a little longer: the server's times are whole seconds.
		next := y.start(t, nil, append(args, "--lock-wait", "1m")...)
		if code := next.code(); code != 0 || !strings.Contains(next.out.String(), "taking it over") {
			t.Fatalf("stopped at %s: the next run: exit %d\n%s", y.point, code, &next.out)
		}
	}
	for _, y := range tries {
		what := fmt.Sprintf("stopped at %s", y.point)
		before, table := y.data(t), y.tableText(t)
		y.check(t, last)
		_ = y.p.Process.Signal(syscall.SIGCONT)
		if code := y.p.code(); code != 4 && code != 1 {
			t.Errorf("%s: it ended with exit %d\n%s", what, code, &y.p.out)
		}
		if n := strings.Count(y.p.out.String(), "the lock was lost"); n > 1 {
			t.Errorf("%s: it says %d times that the lock was lost\n%s", what, n, &y.p.out)
		}
		same(t, what+": after it woke up", y.data(t), before)
		if y.tableText(t) != table {
			t.Errorf("%s: kpi_table has changed after it woke up", what)
		}
		y.watch(nil)
		if p := y.start(t, nil, args...); p.code() != 0 {
			t.Errorf("%s: the run after: %s", what, &p.out)
		}
		y.check(t, last)
		if left := y.uploads(t); len(left) > 0 {
			t.Errorf("%s: uploads are left: %v", what, left)
		}
	}
}

// TestStoppedAlone stops a run for longer than its lease, and no other run comes: it fails, but does not say that another one did the work.
func TestStoppedAlone(t *testing.T) {
	s := newS3Site(t)
	s.put(t, sameKeys(t, oracle.Hazard{Seed: 79, Songs: 60, Users: 20, Plays: 200, Files: 3}.New()))
	ready, stopped := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var p *process
	s.watch(func(_ int, r *http.Request) (func(), func()) {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "mss-transformed/0.csv.parquet") {
			return nil, nil
		}
		return nil, func() { once.Do(func() { <-ready; stop(p); close(stopped) }) }
	})
	p = s.start(t, s.behind(), "run", "all", "--lock-ttl", "4s")
	close(ready)
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Fatal(p.out.String())
	}
	time.Sleep(5 * time.Second)
	_ = p.Process.Signal(syscall.SIGCONT)
	if code := p.code(); code != 1 || !strings.Contains(p.out.String(), "nobody is known to have taken it over, so run it again") {
		t.Errorf("it ended with exit %d\n%s", code, &p.out)
	}
	s.watch(nil)
	if again := s.start(t, nil, "run", "all"); again.code() != 0 {
		t.Error(again.out.String())
	}
}

// TestRestoredLake has a lake restored from a backup, which the warehouse is ahead of: the run says so, and what to do.
func TestRestoredLake(t *testing.T) {
	lakes := [2]oracle.Lake{}
	for i := range lakes {
		lakes[i] = sameKeys(t, oracle.Hazard{Seed: uint64(81 + i), Songs: 60, Users: 20, Plays: 200, Files: 3}.New())
	}
	s := newSite(t, lakes[0])
	s.must(t, "run", "all")
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(s.curated)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.must(t, "run", "all", "--full")
	}
	if err := errors.Join(os.RemoveAll(s.curated), os.Rename(backup, s.curated)); err != nil {
		t.Fatal(err)
	}
	s.replaceRaw(t, lakes[1])
	o := s.mss(t, "run", "all")
	_, remedy, _ := strings.Cut(o.stderr, "have it forget the lake (")
	remedy, _, found := strings.Cut(remedy, ")")
	if o.code != 1 || !found || !strings.Contains(o.stderr, "restored from an older state") || strings.Contains(o.stderr, "lease") {
		t.Fatalf("exit %d\n%s", o.code, o.stderr)
	}
	s.execute(t, remedy)
	s.must(t, "run", "all")
	s.check(t, expect(t, lakes[1], schema.Corrected))
}

// stop stops a process, and waits until it stands still.
func stop(p *process) {
	_ = p.Process.Signal(syscall.SIGSTOP)
	for !allStopped(p.Process.Pid) {
		time.Sleep(time.Millisecond)
	}
}

// allStopped says whether all threads of a process have stopped. One of them takes the signal, and on a busy machine the others may run
// on until it does. Where there is no /proc, it is taken for granted.
func allStopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, name := range threads {
		stat, err := os.ReadFile(name)
		if err == nil && !strings.Contains(string(stat), ") T ") && !strings.Contains(string(stat), ") Z ") {
			return false
		}
	}
	return true
}

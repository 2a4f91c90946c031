package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/oracle"
	"mss/internal/redshift/rstest"
	"mss/internal/schema"
)

// redshiftSite is a site on a real S3 server, with a warehouse that behaves as Redshift does and copies from there.
type redshiftSite struct {
	*s3Site
	*rstest.Proxy
}

func newRedshiftSite(t *testing.T) *redshiftSite {
	t.Helper()
	s := &redshiftSite{s3Site: newS3Site(t)}
	bucket, err := s3blob.Open(t.Context(), s.server.URL, s3blob.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Proxy = rstest.New(t, rstest.Options{Buckets: map[string]blob.Bucket{s.server.Bucket: bucket}})
	s.warehouse, s.direct = s.URL(), s.Direct()
	return s
}

// URL is the warehouse's: the S3 proxy has one too.
func (s *redshiftSite) URL() string { return s.Proxy.URL() }

// copies counts the COPY statements so far.
func (s *redshiftSite) copies() (n int) {
	for _, st := range s.Seen() {
		if strings.HasPrefix(st.SQL, "COPY") {
			n++
		}
	}
	return n
}

// pair is two lakes of the same keys, and one of their own.
func pair(t *testing.T, seed uint64) (lakes [2]oracle.Lake) {
	t.Helper()
	for i := range lakes {
		lakes[i] = sameKeys(t, oracle.Hazard{Seed: seed + uint64(i), Songs: 60, Users: 20, Plays: 200, Files: 3}.New())
	}
	return lakes
}

func TestRedshift(t *testing.T) {
	lakes := pair(t, 90)
	s := newRedshiftSite(t)
	for n, c := range []struct {
		lake   oracle.Lake
		args   []string
		copies int
	}{
		{lakes[0], []string{"--copy-role", "default"}, 1},
		{lakes[0], []string{"--load", "copy", "--copy-role", "default"}, 1},
		{lakes[1], []string{"--load", "insert", "--copy-role", "default"}, 1},
		{lakes[0], nil, 1},
		{lakes[1], []string{"--load", "copy", "--copy-role", "arn:aws:iam::123456789012:role/redshift-copy"}, 2},
	} {
		s.put(t, c.lake)
		s.must(t, append([]string{"run", "all"}, c.args...)...)
		s.check(t, expect(t, c.lake, schema.Corrected))
		if got := s.copies(); got != c.copies {
			t.Errorf("run %d: %d COPY statements, want %d", n, got, c.copies)
		}
		if left := names(s.everything(t, "temp"), ""); len(left) > 0 {
			t.Errorf("run %d: left in temp: %v", n, left)
		}
	}
	s.fails(t, 2, []string{"set copy-role"}, "run", "all", "--load", "copy")
	s.fails(t, 2, []string{"want default or the ARN"}, "run", "all", "--copy-role", "admin")
	o := s.must(t, "query", "genres")
	if !strings.Contains(o.stdout, "genre") {
		t.Error(o.stdout)
	}
}

// TestRedshiftKilled kills the real program at each statement to Redshift, before it is carried out and after: kpi_table is old or new, and one
// run more leaves what a run leaves that nobody kills, and nothing in the temporary place.
func TestRedshiftKilled(t *testing.T) {
	lakes := pair(t, 92)
	s := newRedshiftSite(t)
	var tables [2]string
	args := []string{"run", "all", "--copy-role", "default", "--threads", "2", "--lock-wait", "1m"}
	for i := range lakes {
		s.put(t, lakes[i])
		s.must(t, args...)
		s.check(t, expect(t, lakes[i], schema.Corrected))
		tables[i] = s.tableText(t)
	}
	for step, at := 0, 1; ; step++ {
		to, after := step%2, step%2 == 1
		s.put(t, lakes[to])
		var victim *process
		ready, n, what := make(chan struct{}), 0, ""
		s.Hook(func(st rstest.Statement) rstest.Action {
			if n++; n != at {
				return rstest.Action{}
			}
			what = fmt.Sprintf("statement %d, after=%v: %.60s", at, after, st.SQL)
			<-ready
			late := make(chan struct{})
			go func() {
				_ = victim.Process.Signal(syscall.SIGKILL)
				close(late)
			}()
			if after {
				return rstest.Action{Late: late}
			}
			<-late
			return rstest.Action{Drop: true}
		})
		victim = s.start(t, nil, args...)
		close(ready)
		_ = victim.Wait()
		s.Hook(nil)
		if table := s.tableText(t); table != tables[0] && table != tables[1] {
			t.Errorf("%s: kpi_table is neither old nor new", what)
		}
		if again := s.start(t, nil, args...); again.code() != 0 {
			t.Fatalf("%s: the run after: %s", what, &again.out)
		}
		if s.tableText(t) != tables[to] {
			t.Errorf("%s: kpi_table is not that of the run after", what)
		}
		if left := names(s.everything(t, "temp"), ""); len(left) > 0 {
			t.Errorf("%s: left in temp: %v", what, left)
		}
		if t.Failed() {
			return
		}
		if what == "" {
			if at < 15 {
				t.Errorf("only %d statements", at-1)
			}
			return
		}
		if after {
			at++
		}
	}
}

// TestRedshiftStoppedHolder stops a run, has another run take over and load, and wakes it up.
func TestRedshiftStoppedHolder(t *testing.T) {
	const compares, publishes = "SELECT kpi_type", "INSERT INTO public.kpi_table"
	for _, c := range []struct {
		at    string
		again bool // the other run finds that there is nothing to load
	}{{compares, false}, {compares, true}, {publishes, false}} { // the last one in its transaction, which the other run has to end
		lakes := pair(t, 94)
		s := newRedshiftSite(t)
		args := []string{"run", "all", "--lock-ttl", "5s"}
		s.put(t, lakes[0])
		s.must(t, args...)
		s.put(t, lakes[1])
		ready, stopped := make(chan struct{}), make(chan struct{})
		var p *process
		s.Hook(func(st rstest.Statement) rstest.Action {
			if strings.HasPrefix(st.SQL, c.at) {
				s.Hook(nil)
				<-ready
				stop(p)
				close(stopped)
			}
			return rstest.Action{}
		})
		p = s.start(t, nil, args...)
		close(ready)
		select {
		case <-stopped:
		case <-time.After(time.Minute):
			t.Fatal(p.out.String())
		}
		last := pair(t, 96)[0]
		if c.again {
			last = lakes[0]
		}
		s.put(t, last)
		if c.at == publishes {
			s.warehouse = s.direct // PostgreSQL is sooner sure that a session stands still
		}
		next := s.start(t, nil, append(args, "--lock-wait", "1m")...)
		if code := next.code(); code != 0 || !strings.Contains(next.out.String(), "taking it over") {
			t.Fatalf("stopped at %s: the next run: exit %d\n%s", c.at, code, &next.out)
		}
		if ended := strings.Contains(next.out.String(), "it was ended"); ended != (c.at == publishes) {
			t.Errorf("stopped at %s: the next run ended its session: %t\n%s", c.at, ended, &next.out)
		}
		s.check(t, expect(t, last, schema.Corrected))
		table := s.tableText(t)
		_ = p.Process.Signal(syscall.SIGCONT)
		if code := p.code(); code != 4 && code != 1 {
			t.Errorf("stopped at %s: it ended with exit %d\n%s", c.at, code, &p.out)
		}
		if s.tableText(t) != table {
			t.Errorf("kpi_table has changed after it woke up\n%s", &p.out)
		}
	}
}

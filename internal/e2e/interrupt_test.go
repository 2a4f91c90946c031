package e2e

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mss/internal/cli"
	"mss/internal/oracle"
	"mss/internal/schema"
)

// TestInterrupted cancels runs at many moments. Each data object, and kpi_table as a whole, is then as before or
// as after the run; and the next run finishes the work, as if nothing had been.
func TestInterrupted(t *testing.T) {
	const semantics = schema.Corrected
	var lakes, datas [2]oracle.Lake
	var wants [2]*oracle.Result
	var tables [2]string
	for i := range lakes {
		lakes[i] = sameKeys(t, oracle.Hazard{Seed: uint64(60 + i), Songs: 150, Users: 40, Plays: 2000, Files: 6, Bad: 0.02}.New())
		wants[i] = expect(t, lakes[i], semantics)
	}
	s := newSite(t, oracle.Lake{})
	args := []string{"run", "all", "--max-reject-ratio", "1"}
	var took time.Duration
	for i := range lakes {
		s.replaceRaw(t, lakes[i])
		began := time.Now()
		s.must(t, args...)
		took = time.Since(began)
		s.check(t, wants[i])
		datas[i], tables[i] = s.data(t), s.tableText(t)
	}
	codes := map[int]int{}
	const steps = 24
	for step := range steps {
		from, to := (step+1)%2, step%2
		s.replaceRaw(t, lakes[to])
		ctx, cancel := context.WithTimeout(t.Context(), took*time.Duration(step)/(steps-4))
		var stderr bytes.Buffer
		code := cli.Main(ctx, s.withPlaces(args), strings.NewReader(""), &bytes.Buffer{}, &stderr, nil)
		cancel()
		codes[code]++
		if code != 0 && code != 130 {
			t.Fatalf("step %d: exit %d\n%s", step, code, &stderr)
		}
		for key, data := range s.data(t) {
			if !bytes.Equal(data, datas[from][key]) && !bytes.Equal(data, datas[to][key]) {
				t.Errorf("step %d: %s is neither old nor new", step, key)
			}
		}
		if table := s.tableText(t); table != tables[from] && table != tables[to] {
			t.Errorf("step %d: kpi_table is neither old nor new", step)
		}
		s.must(t, args...)
		same(t, fmt.Sprintf("step %d: the run after", step), s.data(t), datas[to])
		if s.tableText(t) != tables[to] {
			t.Errorf("step %d: kpi_table is not that of the run after", step)
		}
		if t.Failed() {
			return
		}
	}
	if codes[130] < 3 {
		t.Errorf("only %d of %d runs were interrupted: exit codes %v", codes[130], steps, codes)
	}
}

// tableText is kpi_table in the order of its keys.
func (s *site) tableText(t *testing.T) string {
	t.Helper()
	return sorted(s.table(t, "kpi_table"))
}

// sameKeys renames the sources, so that two lakes differ in content alone.
func sameKeys(t *testing.T, l oracle.Lake) oracle.Lake {
	t.Helper()
	in, err := l.Input()
	if err != nil {
		t.Fatal(err)
	}
	out := oracle.Lake{"metadata/songs.csv": in.Songs.Data, "metadata/users.csv": in.Users.Data}
	for i, s := range in.Streams {
		out[fmt.Sprintf("streams/%d.csv", i)] = s.Data
	}
	return out
}

// TestTwoRuns starts several runs at once: each works, waits, or says that there is another one.
func TestTwoRuns(t *testing.T) {
	lake := oracle.Hazard{Seed: 70, Songs: 100, Users: 30, Plays: 1000, Files: 4}.New()
	s := newSite(t, lake)
	outcomes := make([]outcome, 4)
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() { outcomes[i] = s.mss(t, "run", "all") })
	}
	wg.Wait()
	done := 0
	for _, o := range outcomes {
		switch {
		case o.code == 0:
			done++
		case o.code == 4 && strings.Contains(o.stderr, "another run holds the lock"):
		default:
			t.Errorf("exit %d\n%s", o.code, o.stderr)
		}
	}
	if done == 0 {
		t.Errorf("no run was done")
	}
	s.must(t, "run", "all")
	s.check(t, expect(t, lake, schema.Corrected))
}

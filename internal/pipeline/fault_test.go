package pipeline_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"mss/internal/blob/blobtest"
	"mss/internal/schema"
)

// small is a raw lake without plays: each call costs the sweep a run.
func small(songs string) content {
	return content{
		"metadata/songs.csv": "track_id,artists,track_name,popularity,duration_ms,track_genre\n" + songs,
		"metadata/users.csv": "user_id,created_at\n1,2020-01-01\n2,2020-01-02\nx,\n",
	}
}

// change is a pair of raw lakes, and how the run on the second is to be made.
type change struct {
	before, after content
	then          choices
}

// changes are pairs of raw lakes: what was there at the last run, and what is there now.
func changes() map[string]change {
	plays := func(c content, files map[string]string) content {
		c = maps.Clone(c)
		for name, data := range files {
			if data == "" {
				delete(c, name)
			} else {
				c[name] = "user_id,track_id,listen_time\n" + data
			}
		}
		return c
	}
	one := plays(small("t,A,n,1,2,g\nt,A,n,1,2,h\nu,B,m,3,4,g\nu,B\n"), map[string]string{"streams/x.csv": "1,t,2024-06-01 05:00:00\nbad\n", "streams/y.csv": "2,u,2024-06-02 06:00:00\n",
		"streams/gone.csv": "3,v,2024-06-03 07:00:00\nbad\n"})
	two := plays(one, map[string]string{"streams/x.csv": "1,t,2024-06-01 08:00:00\n", "streams/gone.csv": "",
		"streams/new.csv": "4,w,2024-06-04 09:00:00\nbad\n"})
	songs := maps.Clone(one)
	songs["metadata/songs.csv"] = small("t,A,n,1,2,k\nu,C,m,9,4,g\n")["metadata/songs.csv"]
	both := plays(songs, map[string]string{"streams/gone.csv": "", "streams/new.csv": "5,t,2024-06-05 10:00:00\n"})
	return map[string]change{
		"first run":                      {before: nil, after: one},
		"files come, change, and go":     {before: one, after: two, then: choices{onMissing: "remove"}},
		"files come, change, and vanish": {before: one, after: two, then: choices{onMissing: "keep"}},
		"songs change, a file vanishes":  {before: one, after: both, then: choices{onMissing: "keep"}},
		"the semantics change":           {before: one, after: two, then: choices{onMissing: "keep", semantics: schema.Glue}},
		"everything anew":                {before: one, after: one, then: choices{full: true}},
	}
}

// TestFaultSweep kills a run, or lets one call fail, before and after each call to a place or the warehouse. All the while, who reads sees the
// old data or the new or is told; and one run more leaves just what a run without a fault leaves.
func TestFaultSweep(t *testing.T) {
	for name, c := range changes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := newSite(t)
			if c.before != nil {
				start.setRaw(t, c.before)
				start.must(t, choices{})
			}
			start.setRaw(t, c.after)
			old := start.state(t)
			oldData, err := start.readDataset(t)
			if err != nil {
				t.Fatal(err)
			}
			done := start.clone(t)
			done.must(t, c.then)
			want := done.state(t)
			wantData, err := done.readDataset(t)
			if err != nil {
				t.Fatal(err)
			}
			watched := start.clone(t)
			err = watched.run(t, c.then, &blobtest.Faults{Watch: func(act, key string) {
				// Only what changes something can show something new.
				if act == "publish" || act == "write" || act == "delete" || act == "load" {
					watched.watch(t, act+" "+key, old, want, oldData, wantData)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			for _, mode := range []struct{ Dead, After bool }{{true, false}, {true, true}, {false, false}, {false, true}} {
				for at := 1; ; at++ {
					s := start.clone(t)
					defer os.Remove(s.warehouse)
					faults := &blobtest.Faults{At: at, After: mode.After, Dead: mode.Dead}
					what := fmt.Sprintf("call %d, after=%v, dead=%v", at, mode.After, mode.Dead)
					err := s.run(t, c.then, faults)
					s.watch(t, what, old, want, oldData, wantData)
					if !faults.Hit() {
						if err != nil {
							t.Fatal(err)
						}
						if at < 60 {
							t.Fatalf("only %d calls", at-1)
						}
						t.Logf("%d calls, after=%v, dead=%v", at-1, mode.After, mode.Dead)
						break
					}
					if err != nil && !errors.Is(err, blobtest.ErrInjected) && !mode.Dead {
						t.Logf("%s (%s): %v", what, faults.Calls()[at-1], err)
					}
					if err := s.run(t, c.then, nil); err != nil {
						t.Fatalf("%s (%s): the run after: %v", what, faults.Calls()[at-1], err)
					}
					if d := diff(s.state(t), want); d != "" {
						t.Fatalf("%s (%s): after the run after: %s", what, faults.Calls()[at-1], d)
					}
					s.tidy(t, what+" ("+faults.Calls()[at-1]+")")
					if t.Failed() {
						return
					}
				}
			}
		})
	}
}

// watch looks at the lake as its readers do, in the middle of a run.
func (s *site) watch(t *testing.T, what string, old, new state, oldData, newData content) {
	t.Helper()
	if table := s.table(t); table != old.table && table != new.table {
		t.Errorf("%s: kpi_table is neither old nor new:\n%s", what, table)
	}
	// Who only lists sees each object old or new.
	now := s.state(t).objects
	for key, data := range now {
		if data != old.objects[key] && data != new.objects[key] && !strings.HasPrefix(key, "curated/quarantine/") {
			t.Errorf("%s: %s is neither old nor new", what, key)
		}
	}
	for key := range old.objects {
		if _, stays := new.objects[key]; stays && now[key] == "" && !strings.HasPrefix(key, "curated/quarantine/") {
			t.Errorf("%s: %s is missing", what, key)
		}
	}
	// Who reads through the snapshot sees one run, or an error.
	if data, err := s.readDataset(t); err == nil && !maps.Equal(data, oldData) && !maps.Equal(data, newData) {
		t.Errorf("%s: a mixture is read", what)
	}
}

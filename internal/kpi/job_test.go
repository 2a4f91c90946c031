package kpi

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/kpi/kpitest"
	"mss/internal/lake"
	"mss/internal/schema"
)

// TestHistories lets objects come, go and be replaced, and states be lost; whatever is taken over, the rows are those of the data.
func TestHistories(t *testing.T) {
	histories := 200
	if testing.Short() {
		histories = 20
	}
	for seed := range uint64(histories) {
		s := newSite(t, seed, []schema.Semantics{schema.Corrected, schema.Glue}[seed%2])
		name := func() string { return fmt.Sprintf("%c/%d.csv.parquet", 'a'+rune(s.r.IntN(3)), s.r.IntN(4)) }
		for step := range 8 {
			for range s.r.IntN(3) {
				switch s.r.IntN(8) {
				case 0, 1, 2, 3:
					s.put(name())
				case 4:
					delete(s.rows, name())
				case 5: // two objects change places
					a, b := name(), name()
					ra, oka := s.rows[a]
					rb, okb := s.rows[b]
					if oka && okb {
						s.rows[a], s.rows[b] = rb, ra
					}
				case 6:
					s.spoil()
				case 7:
					if s.r.IntN(3) == 0 {
						s.sem = []schema.Semantics{schema.Corrected, schema.Glue}[s.r.IntN(2)]
					}
				}
			}
			s.publish()
			if s.r.IntN(3) == 0 {
				rows, _, _, err := s.job().Preview(context.Background())
				if want := s.want(); err != nil || !reflect.DeepEqual(rows, want) && len(rows)+len(want) > 0 {
					t.Fatalf("seed %d step %d: preview gives %v %s\nwant %s", seed, step, err, kpitest.Show(rows), kpitest.Show(want))
				}
			}
			if _, err := s.run(func(j *Job) { j.Load.Always = s.r.IntN(10) == 0 }); err != nil {
				t.Fatalf("seed %d step %d: %v", seed, step, err)
			}
			if t.Failed() {
				t.Fatalf("seed %d step %d", seed, step)
			}
		}
	}
}

// TestTakesOver looks at which objects are read, and what is written, when little has changed.
func TestTakesOver(t *testing.T) {
	s := newSite(t, 1, schema.Corrected)
	for i := range 20 {
		s.put(fmt.Sprintf("%02d.csv.parquet", i))
	}
	s.publish()
	ctx := context.Background()
	plain := s.curated
	read := func() (data, states, writes []string) {
		t.Helper()
		f := &blobtest.Faults{}
		s.curated = f.Wrap(plain)
		if _, err := s.run(nil); err != nil {
			t.Fatal(err)
		}
		s.curated = plain
		for _, c := range f.Calls() {
			switch {
			case strings.HasPrefix(c, "open mss-transformed/"):
				data = append(data, c)
			case strings.HasPrefix(c, "read "+storeDir) && strings.HasSuffix(c, ".state"):
				states = append(states, c)
			case strings.HasPrefix(c, "write "), strings.HasPrefix(c, "delete "):
				writes = append(writes, c)
			}
		}
		return data, states, writes
	}
	expect := func(what string, wantData, wantStates int, wantWrites int) {
		t.Helper()
		data, states, writes := read()
		// What check reads is counted too: each state once.
		if len(data) != wantData || len(states)-len(s.rows) != wantStates || len(writes) != wantWrites {
			t.Errorf("%s: %d objects and %d states were read, want %d and %d; written %v, want %d", what, len(data), len(states)-len(s.rows), wantData, wantStates, writes, wantWrites)
		}
	}
	expect("the first run", 20, 0, 20+3)
	expect("nothing new", 0, 0, 0)
	f := &blobtest.Faults{}
	j := s.job()
	j.Curated, j.Analytics = f.Wrap(s.curated), f.Wrap(s.analytics)
	if _, err := j.Execute(ctx); err != nil || len(f.Calls()) > 9 {
		t.Errorf("a run that finds nothing new makes %d calls, %v: %v", len(f.Calls()), f.Calls(), err)
	}
	if s.loads != 1 {
		t.Errorf("the warehouse was loaded %d times", s.loads)
	}
	s.put("20.csv.parquet")
	s.rows["20.csv.parquet"] = append(s.rows["20.csv.parquet"], kpitest.Row{Track: "new", User: 1234})
	s.publish()
	if _, kept, fresh, err := s.job().Preview(ctx); err != nil || kept != 20 || fresh != 1 {
		t.Errorf("preview of one new object: %d kept, %d fresh, %v", kept, fresh, err)
	}
	expect("one new object", 1, 0, 1+3+1) // its state, keys, total, index; the old total is deleted
	s.put("07.csv.parquet")
	s.publish()
	expect("one object replaced", 1, 20, 1+3+1)
	delete(s.rows, "08.csv.parquet")
	s.publish()
	expect("one object removed", 0, 20, 2+1)
	if _, err := s.run(func(j *Job) { j.Load.Always = true }); err != nil {
		t.Fatal(err)
	}
	expect("nothing new after all was made anew", 0, 0, 0)
	if log := s.log.String(); strings.Contains(log, "WARN") {
		t.Errorf("the log has warnings: %s", log)
	}
}

// TestAuditCopyIsThere checks that an audit copy that is missing or another is published, though nothing is new.
func TestAuditCopyIsThere(t *testing.T) {
	for _, spoil := range []func(context.Context, blob.Bucket) error{
		func(ctx context.Context, b blob.Bucket) error {
			return b.Delete(ctx, "kpi_output/kpi_type=genre/kpi.parquet")
		},
		func(ctx context.Context, b blob.Bucket) error {
			_, err := b.Write(ctx, "kpi_output/kpi_type=hourly/kpi.parquet", []byte("something else"), blob.Cond{})
			return err
		},
	} {
		s := newSite(t, 2, schema.Corrected)
		s.put("a.csv.parquet")
		s.publish()
		for range 2 {
			if _, err := s.run(nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := spoil(context.Background(), s.analytics); err != nil {
			t.Fatal(err)
		}
		if rep, err := s.run(nil); err != nil || rep.Objects != 2 {
			t.Errorf("%d objects were published, %v", rep.Objects, err)
		}
		if rep, err := s.run(nil); err != nil || rep.Objects != 0 {
			t.Errorf("%d objects were published again, %v", rep.Objects, err)
		}
	}
}

// TestKeysOfGoneObjects checks that keys which no object has any more do not stay for ever, and that files of keys do not pile up.
func TestKeysOfGoneObjects(t *testing.T) {
	s := newSite(t, 3, schema.Corrected)
	put := func(key string, users int) {
		s.put(key)
		for i := range users {
			s.rows[key] = append(s.rows[key], kpitest.Row{User: int64(i) * 7919, Track: "t", Primary: true})
		}
	}
	put("big.csv.parquet", 25000)
	for i := range 20 {
		put(fmt.Sprintf("%d.csv.parquet", i), 100+i)
		s.publish()
		if _, err := s.run(nil); err != nil {
			t.Fatal(err)
		}
	}
	index := func() *index {
		data, _, err := s.curated.ReadAll(context.Background(), indexKey)
		if err != nil {
			t.Fatal(err)
		}
		x, err := parseIndex(data)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if n := len(index().Keys); n > maxKeyFiles {
		t.Errorf("there are %d files of keys", n)
	}
	delete(s.rows, "big.csv.parquet")
	s.publish()
	if _, err := s.run(nil); err != nil {
		t.Fatal(err)
	}
	if n := index().Sizes.Users; n > 200 {
		t.Errorf("the keys still have %d users", n)
	}
}

// TestFaults lets each call fail in turn, before or after it took effect, and some kill the run. The run after that gives the right
// rows, and leaves no garbage.
func TestFaults(t *testing.T) {
	for _, history := range []string{"first", "one more", "replaced", "removed", "nothing new", "spoilt"} {
		for _, f := range []struct{ After, Dead bool }{{}, {After: true}, {Dead: true}, {After: true, Dead: true}} {
			for at := 1; ; at++ {
				s := newSite(t, 5, schema.Corrected)
				for _, key := range []string{"a.csv.parquet", "b.csv.parquet", "c/c.csv.parquet"} {
					s.put(key)
				}
				s.publish()
				if history != "first" {
					if _, err := s.run(nil); err != nil {
						t.Fatal(err)
					}
				}
				switch history {
				case "one more":
					s.put("d.csv.parquet")
				case "replaced":
					s.put("b.csv.parquet")
				case "removed":
					delete(s.rows, "b.csv.parquet")
				case "spoilt":
					s.spoil()
				}
				s.publish()
				curated, analytics := s.curated, s.analytics
				faults := &blobtest.Faults{At: at, After: f.After, Dead: f.Dead}
				s.curated, s.analytics = faults.Wrap(curated), faults.Wrap(analytics)
				_, err := s.job().Execute(context.Background())
				s.curated, s.analytics = curated, analytics
				if err != nil && !errors.Is(err, blobtest.ErrInjected) {
					t.Fatalf("%s, call %d: %v", history, at, err)
				}
				// As each run of the program begins.
				r := &lake.Recovery{Run: s.job().Run}
				if err := r.Dataset(t.Context(), lake.KPIOutput(analytics)); err != nil {
					t.Fatal(err)
				}
				if _, err := s.run(nil); err != nil {
					t.Fatalf("%s, after the fault at call %d %v: %v", history, at, faults.Calls(), err)
				}
				if t.Failed() {
					t.Fatalf("%s, after the fault at call %d (after %v, dead %v) %v", history, at, f.After, f.Dead, faults.Calls())
				}
				if !faults.Hit() {
					break
				}
			}
		}
	}
}

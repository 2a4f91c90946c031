package kpi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/blob/memblob"
	"mss/internal/kpi/kpitest"
	"mss/internal/lake"
	"mss/internal/report"
	"mss/internal/schema"
)

// site is a lake in memory.
type site struct {
	t         *testing.T
	r         *rand.Rand
	curated   blob.Bucket
	analytics blob.Bucket
	sem       schema.Semantics
	rows      map[string][]kpitest.Row // of each data object
	loaded    []schema.KPI             // what is in the warehouse
	loads     int
	log       bytes.Buffer
	damaged   bool // a state may be, without anybody having read it
}

func newSite(t *testing.T, seed uint64, sem schema.Semantics) *site {
	return &site{t: t, r: rand.New(rand.NewPCG(seed, 9)), curated: memblob.New("curated"), analytics: memblob.New("analytics"), sem: sem,
		rows: map[string][]kpitest.Row{}}
}

// Load is the warehouse.
func (s *site) Load(_ context.Context, rows []schema.KPI, opt LoadOptions) (bool, error) {
	if !opt.Always && reflect.DeepEqual(rows, s.loaded) {
		return false, nil
	}
	s.loaded = rows
	s.loads++
	return true, nil
}

func (s *site) job() *Job {
	return &Job{Curated: s.curated, Analytics: s.analytics, Warehouse: s, Run: &lake.Run{ID: "run", Semantics: s.sem, Foreign: lake.ForeignStop,
		Threads: 1 + s.r.IntN(3), Log: slog.New(slog.NewTextHandler(&s.log, nil)), Progress: report.NoProgress{}}}
}

// put makes or replaces a data object.
func (s *site) put(key string) {
	s.rows[key] = kpitest.Rows(s.r, s.r.IntN(120))
}

// publish writes the data objects and their snapshot, as integrate does.
func (s *site) publish() {
	s.t.Helper()
	ctx := context.Background()
	d := lake.Transformed(s.curated)
	snap := lake.Snapshot{Format: 1, Dataset: d.Name, Run: "run", Semantics: s.sem, Objects: []lake.Entry{}}
	for _, key := range s.keys() {
		rows := s.rows[key]
		data, err := kpitest.Parquet(rows, 1+len(rows)/(1+len(rows)%3))
		if err != nil {
			s.t.Fatal(err)
		}
		obj, err := s.curated.Write(ctx, d.Prefix+key, data, blob.Cond{})
		if err != nil {
			s.t.Fatal(err)
		}
		snap.Objects = append(snap.Objects, lake.Entry{Key: obj.Key, Size: obj.Size, ETag: obj.ETag, CRC32C: checksum(data),
			Rows: int64(len(rows)), Plays: kpitest.Plays(rows)})
		snap.Plays += kpitest.Plays(rows)
	}
	data, err := json.Marshal(snap)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.curated.Write(ctx, "_mss/mss-transformed/snapshot.json", data, blob.Cond{}); err != nil {
		s.t.Fatal(err)
	}
	all, err := s.curated.List(ctx, d.Prefix)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range all {
		if _, ok := s.rows[strings.TrimPrefix(o.Key, d.Prefix)]; !ok {
			if err := s.curated.Delete(ctx, o.Key); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

func (s *site) keys() (keys []string) {
	for key := range s.rows {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// want computes the rows the naive way.
func (s *site) want() []schema.KPI {
	var all []kpitest.Row
	for _, key := range s.keys() {
		all = append(all, s.rows[key]...)
	}
	s.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return kpitest.KPIs(all, s.sem)
}

// run runs the job, and checks what it leaves.
func (s *site) run(change func(*Job)) (report.Job, error) {
	s.t.Helper()
	j := s.job()
	if change != nil {
		change(j)
	}
	rep, err := j.Execute(context.Background())
	if err != nil {
		return rep, err
	}
	s.check()
	return rep, nil
}

func (s *site) check() {
	s.t.Helper()
	if want := s.want(); !reflect.DeepEqual(s.loaded, want) && len(s.loaded)+len(want) > 0 {
		s.t.Fatalf("the warehouse holds %s\nwant %s\nlog: %s", kpitest.Show(s.loaded), kpitest.Show(want), s.log.String())
	}
	objects, err := encodeOutput(s.loaded)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range objects {
		if data, _, err := s.analytics.ReadAll(context.Background(), "kpi_output/"+o.key); err != nil || !bytes.Equal(data, o.data) {
			s.t.Fatalf("the audit copy is not what was loaded: %v", err)
		}
	}
	s.checkStates()
}

// checkStates checks that the states' folder holds what the index names, and nothing else.
func (s *site) checkStates() {
	s.t.Helper()
	ctx := context.Background()
	data, _, err := s.curated.ReadAll(ctx, indexKey)
	if err != nil {
		s.t.Fatal(err)
	}
	x, err := parseIndex(data)
	if err != nil {
		s.t.Fatal(err)
	}
	sizes := map[string]int64{indexKey: int64(len(data))}
	for _, f := range x.files() {
		sizes[storeDir+f.Name] = f.Size
		data, _, err := s.curated.ReadAll(ctx, storeDir+f.Name)
		if err != nil || checksum(data) != f.CRC32C && !s.damaged {
			s.t.Fatalf("the index names %s, which is not there as it was written: %v", f.Name, err)
		}
	}
	all, err := s.curated.List(ctx, storeDir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range all {
		if size, ok := sizes[o.Key]; !ok || size != o.Size {
			s.t.Errorf("garbage: %s", o.Key)
		}
		if strings.HasSuffix(o.Key, ".parquet") {
			s.t.Errorf("a state looks like a data object: %s", o.Key)
		}
	}
	if len(x.Objects) != len(s.rows) {
		s.t.Errorf("the index has %d objects, there are %d", len(x.Objects), len(s.rows))
	}
}

// spoil does something to a file of the states.
func (s *site) spoil() {
	s.t.Helper()
	ctx := context.Background()
	all, err := s.curated.List(ctx, storeDir)
	if err != nil || len(all) == 0 {
		return
	}
	key := all[s.r.IntN(len(all))].Key
	data, _, err := s.curated.ReadAll(ctx, key)
	if err != nil {
		s.t.Fatal(err)
	}
	switch s.r.IntN(4) {
	case 0:
		err = s.curated.Delete(ctx, key)
	case 1: // damaged
		s.damaged = true
		if len(data) > 0 {
			data[s.r.IntN(len(data))] ^= 0x10
		}
		_, err = s.curated.Write(ctx, key, data, blob.Cond{})
	case 2: // cut off
		_, err = s.curated.Write(ctx, key, data[:s.r.IntN(len(data)+1)], blob.Cond{})
	case 3: // another version's
		if key == indexKey {
			data = bytes.Replace(data, []byte(`"format":2`), []byte(`"format":99`), 1)
		}
		_, err = s.curated.Write(ctx, key, data, blob.Cond{})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

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

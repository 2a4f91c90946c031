package kpi

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mss/internal/blob"
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

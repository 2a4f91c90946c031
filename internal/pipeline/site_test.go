package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/blob/memblob"
	"mss/internal/integrate"
	"mss/internal/kpi"
	"mss/internal/lake"
	"mss/internal/lock"
	"mss/internal/pipeline"
	"mss/internal/redshift"
	"mss/internal/report"
	"mss/internal/schema"
)

// content is what a place holds, by key.
type content map[string]string

// site is a lake in memory, with a warehouse in a file.
type site struct {
	raw, curated, analytics, temp *memblob.Bucket
	warehouse                     string // path of the database
}

func newSite(t *testing.T) *site {
	t.Helper()
	return &site{memblob.New("raw"), memblob.New("curated"), memblob.New("analytics"), memblob.New("temp"), filepath.Join(fastDir(t), "w.db")}
}

// fastDir is a folder of the test's own, in memory where there is one: a database is synced to disk many times.
func fastDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "mss-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// clone copies a site.
func (s *site) clone(t *testing.T) *site {
	t.Helper()
	c := &site{s.raw.Clone(), s.curated.Clone(), s.analytics.Clone(), s.temp.Clone(), filepath.Join(fastDir(t), "w.db")}
	data, err := os.ReadFile(s.warehouse)
	if err == nil {
		err = os.WriteFile(c.warehouse, data, 0o644)
	}
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return c
}

// setRaw makes the raw place hold just these objects.
func (s *site) setRaw(t *testing.T, objects content) {
	t.Helper()
	s.raw = memblob.New("raw")
	for key, data := range objects {
		if _, err := s.raw.Write(t.Context(), key, []byte(data), blob.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
}

var runs atomic.Int64

// choices are what differs between runs.
type choices struct {
	semantics schema.Semantics
	onMissing string
	full      bool
}

// pipeline is the site for a run. All calls to places and warehouse go through faults, unless it is nil.
func (s *site) pipeline(c choices, faults *blobtest.Faults) *pipeline.Pipeline {
	wrap := func(b blob.Bucket) blob.Bucket {
		if faults == nil {
			return b
		}
		return faults.Wrap(b)
	}
	if c.semantics == "" {
		c.semantics = schema.Corrected
	}
	return &pipeline.Pipeline{
		Places: pipeline.Places{Raw: wrap(s.raw), Curated: wrap(s.curated), Analytics: wrap(s.analytics), Temp: wrap(s.temp)},
		OpenWarehouse: func(ctx context.Context, log *slog.Logger) (pipeline.Warehouse, error) {
			w, err := redshift.Open(ctx, "sqlite:"+s.warehouse, redshift.Options{Log: log})
			if err != nil || faults == nil {
				return w, err
			}
			return &faultyWarehouse{w, faults}, nil
		},
		Semantics: c.semantics, Foreign: lake.ForeignStop, MaxRejectRatio: 1, Full: c.full, Threads: 2,
		Integrate: integrate.Options{OnMissing: c.onMissing, OnMetadata: integrate.Rebuild},
		// A run that was "killed" here is a part of this process: it is gone all the same.
		Lock: lock.Options{Gone: func(lock.Holder) bool { return true }},
		Log:  slog.New(slog.DiscardHandler), Progress: report.NoProgress{}, Now: time.Now,
	}
}

func (s *site) run(t *testing.T, c choices, faults *blobtest.Faults) error {
	_, err := s.pipeline(c, faults).Run(t.Context(), fmt.Sprintf("run%d", runs.Add(1)), pipeline.All)
	return err
}

func (s *site) must(t *testing.T, c choices) {
	t.Helper()
	if err := s.run(t, c, nil); err != nil {
		t.Fatal(err)
	}
}

// faultyWarehouse counts its calls among those to the places.
type faultyWarehouse struct {
	pipeline.Warehouse
	f *blobtest.Faults
}

func (w *faultyWarehouse) Load(ctx context.Context, rows []schema.KPI, opt kpi.LoadOptions) (loaded bool, err error) {
	err = w.f.Call("load", "kpi_table", func() (err error) { loaded, err = w.Warehouse.Load(ctx, rows, opt); return })
	return loaded, err
}

// state is all that others see of a lake: its data objects, and the rows of kpi_table.
type state struct {
	objects content
	table   string
}

func (s *site) state(t *testing.T) state {
	t.Helper()
	st := state{objects: content{}, table: s.table(t)}
	for name, b := range map[string]*memblob.Bucket{"curated/": s.curated, "analytics/": s.analytics} {
		for key, data := range everything(t, b) {
			if !strings.HasPrefix(key, "_mss/") {
				st.objects[name+key] = data
			}
		}
	}
	return st
}

func everything(t *testing.T, b *memblob.Bucket) content {
	t.Helper()
	all, err := b.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	out := content{}
	for _, o := range all {
		data, _, err := b.ReadAll(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		out[o.Key] = string(data)
	}
	return out
}

// table is kpi_table as text; "" when there is none yet.
func (s *site) table(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(s.warehouse); os.IsNotExist(err) {
		return ""
	}
	w, err := redshift.Open(t.Context(), "sqlite:"+s.warehouse, redshift.Options{ReadOnly: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	table, err := w.Query(t.Context(), "SELECT * FROM public.kpi_table ORDER BY kpi_type, group_by NULLS LAST")
	if err != nil {
		if strings.Contains(err.Error(), "no such table") {
			return ""
		}
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, row := range table.Rows {
		fmt.Fprintln(&b, row...)
	}
	return b.String()
}

// diff tells how two states differ; "" when they do not.
func diff(got, want state) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(got.objects)) {
		if data, ok := want.objects[key]; !ok {
			out = append(out, key+" is too much")
		} else if data != got.objects[key] {
			out = append(out, key+" has other bytes")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want.objects)) {
		if _, ok := got.objects[key]; !ok {
			out = append(out, key+" is missing")
		}
	}
	if got.table != want.table {
		out = append(out, "kpi_table differs:\n"+got.table+"want\n"+want.table)
	}
	return strings.Join(out, "; ")
}

// tidy wants nothing to be left that is not listed: no staged object, no pending document, no state of a dead run.
func (s *site) tidy(t *testing.T, what string) {
	t.Helper()
	for _, b := range []*memblob.Bucket{s.curated, s.analytics, s.temp} {
		left, err := b.Unfinished(t.Context())
		if err != nil || len(left) > 0 {
			t.Errorf("%s: staged in %s: %v, %v", what, b, left, err)
		}
		for key := range everything(t, b) {
			if strings.HasSuffix(key, "/pending.json") || b == s.temp {
				t.Errorf("%s: %s is left in %s", what, key, b)
			}
		}
	}
	st, err := lock.Look(t.Context(), s.curated, lock.Options{Gone: func(lock.Holder) bool { return false }})
	if err != nil || st.Held || len(st.Unfinished) > 0 {
		t.Errorf("%s: the lock says %+v, %v", what, st, err)
	}
}

// etags are those of the raw objects.
func (s *site) etags(t *testing.T) map[string]string {
	t.Helper()
	all, err := s.raw.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, o := range all {
		out[o.Key] = o.ETag
	}
	return out
}

// sources are the raw objects that the transformed objects were made from, and their ETags.
func (s *site) sources(t *testing.T) map[string]string {
	t.Helper()
	snap, err := lake.Transformed(s.curated).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range snap.Objects {
		out[e.Source.Key] = e.Source.ETag
	}
	return out
}

// readDataset reads the transformed objects through their snapshot. An error is how a reader is told that they are being replaced.
func (s *site) readDataset(t *testing.T) (content, error) {
	t.Helper()
	d := lake.Transformed(s.curated)
	snap, err := d.Snapshot(t.Context())
	if err != nil || snap == nil {
		return nil, err
	}
	if snap.Incomplete {
		return nil, errors.New("incomplete")
	}
	objects, err := d.Objects(t.Context(), snap)
	if err != nil {
		return nil, err
	}
	out := content{}
	for _, o := range objects {
		r, err := s.curated.Open(t.Context(), o)
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.NewSectionReader(r, 0, o.Size))
		if err != nil {
			return nil, err
		}
		out["curated/"+o.Key] = string(data)
	}
	return out, nil
}

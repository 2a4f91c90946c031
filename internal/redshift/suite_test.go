package redshift

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
	"mss/internal/kpi"
	"mss/internal/redshift/pgtest"
	"mss/internal/redshift/rstest"
	"mss/internal/schema"
)

// targets are what the suite runs against. Redshift is a PostgreSQL behind a proxy that behaves as Redshift does.
var targets = []struct {
	name string
	url  func(t *testing.T) string
}{
	{"sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "lake", "warehouse.db") }},
	{"postgres", func(t *testing.T) string { return pgtest.New(t) }},
	{"redshift", func(t *testing.T) string { return rstest.New(t, rstest.Options{}).URL() }},
	{"redshift by copy", func(t *testing.T) string { p, _ := newCopying(t); return p.URL() }},
}

func onEach(t *testing.T, test func(t *testing.T, url string)) {
	for _, target := range targets {
		t.Run(target.name, func(t *testing.T) { test(t, target.url(t)) })
	}
}

func onServers(t *testing.T, test func(t *testing.T, url string)) {
	for _, target := range targets[1:] {
		t.Run(target.name, func(t *testing.T) { test(t, target.url(t)) })
	}
}

// journal collects what is logged.
type journal struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func open(t *testing.T, url string) *Warehouse {
	t.Helper()
	w, err := Open(t.Context(), url, options(url))
	if err != nil {
		t.Fatal(err)
	}
	w.firstDelay = 10 * time.Millisecond
	t.Cleanup(func() { w.Close() })
	return w
}

// copying has the CopyOptions of the warehouses that copy, by URL.
var copying sync.Map

func options(url string) Options {
	opt := Options{Log: new(journal).logger()}
	if by, ok := copying.Load(url); ok {
		opt.Copy = by.(CopyOptions)
	}
	return opt
}

// newCopying is a Redshift that is loaded by COPY, and the S3 bucket that it copies from.
func newCopying(t *testing.T) (*rstest.Proxy, *s3blob.Bucket) {
	t.Helper()
	server := s3test.New(t)
	server.Setenv(t)
	bucket, err := s3blob.Open(t.Context(), server.URL, s3blob.Options{})
	if err != nil {
		t.Fatal(err)
	}
	temp, err := s3blob.Open(t.Context(), server.URL+"/temp", s3blob.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := rstest.New(t, rstest.Options{Buckets: map[string]blob.Bucket{server.Bucket: bucket}})
	copying.Store(p.URL(), CopyOptions{Mode: Auto, Role: "default", Temp: temp})
	t.Cleanup(func() {
		objects, err := bucket.List(context.Background(), "")
		if err != nil || len(objects) > 0 {
			t.Errorf("loads leave %d objects in the temporary place, as %v; %v", len(objects), objects, err)
		}
	})
	return p, bucket
}

// tapped calls before ahead of each statement; an error of it is the statement's.
type tapped struct {
	session
	before func(ctx context.Context, s session, sql string) error
}

func (s tapped) exec(ctx context.Context, sql string, args ...any) error {
	if err := s.before(ctx, s.session, sql); err != nil {
		return err
	}
	return s.session.exec(ctx, sql, args...)
}

func (s tapped) query(ctx context.Context, sql string, head func([]string) error, row func([]any) error) error {
	if err := s.before(ctx, s.session, sql); err != nil {
		return err
	}
	return s.session.query(ctx, sql, head, row)
}

// tap puts before ahead of each statement of w.
func tap(w *Warehouse, before func(ctx context.Context, s session, sql string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle != nil {
		w.idle.close()
		w.idle = nil
	}
	connect := w.connect
	w.connect = func(ctx context.Context) (session, error) {
		s, err := connect(ctx)
		if err != nil {
			return nil, err
		}
		return tapped{s, before}, nil
	}
}

// do executes statements as another program would.
func do(t *testing.T, w *Warehouse, statements ...string) {
	t.Helper()
	err := w.with(t.Context(), func(s session) error {
		for _, sql := range statements {
			if err := s.exec(t.Context(), sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, w *Warehouse, from string) int64 {
	t.Helper()
	table, err := w.Query(t.Context(), "SELECT COUNT(*) FROM "+from)
	if err != nil {
		t.Fatal(err)
	}
	return table.Rows[0][0].(int64)
}

func load(t *testing.T, w *Warehouse, rows []schema.KPI, opt kpi.LoadOptions, want bool) {
	t.Helper()
	loaded, err := w.Load(t.Context(), rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	if loaded != want {
		t.Errorf("loaded %t, want %t", loaded, want)
	}
}

// wantRows compares the genre and hourly rows of kpi_table, and that staging is empty.
func wantRows(t *testing.T, w *Warehouse, want []schema.KPI) {
	t.Helper()
	got, err := w.Rows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g, x := images(t, got), images(t, want)
	if len(g) != len(x) {
		t.Errorf("kpi_table holds %d rows, want %d", len(g), len(x))
	}
	for i := range min(len(g), len(x)) {
		if g[i] != x[i] {
			t.Errorf("kpi_table holds row %v, want %v", g[i], x[i])
			break
		}
	}
	if n := count(t, w, "public.kpi_staging"); n != 0 {
		t.Errorf("kpi_staging holds %d rows", n)
	}
}

// images are the rows in an order and form that compare.
func images(t *testing.T, rows []schema.KPI) []record {
	t.Helper()
	records, err := fit(rows, new(journal).logger())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(records, compareKeys)
	return records
}

func p[T any](v T) *T { return &v }

func genre(name string, n int64) schema.KPI {
	return schema.KPI{Type: schema.Genre, GroupBy: &name, ListenCount: n, AvgDuration: p(1.0 / 3 * float64(n)), Popularity: p(50.5),
		TopTrack: p("track of " + name), TopArtist: p("artist of " + name)}
}

func noGenre(n int64) schema.KPI {
	return schema.KPI{Type: schema.Genre, ListenCount: n}
}

func hour(h string, n int64) schema.KPI {
	return schema.KPI{Type: schema.Hourly, GroupBy: &h, ListenCount: n, AvgDuration: p(0.75), TopArtist: p("artist at " + h)}
}

// before and after are two results that share keys, and have keys of their own.
func before() []schema.KPI {
	return []schema.KPI{genre("jazz", 10), genre("pop", 20), noGenre(3), hour("0", 5), hour("7", 6)}
}

func after() []schema.KPI {
	return []schema.KPI{genre("jazz", 11), genre("rock", 1), noGenre(4), hour("7", 9), hour("23", 1)}
}

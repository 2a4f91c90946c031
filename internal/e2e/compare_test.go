package e2e

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // reads the warehouse

	"mss/internal/oracle"
	"mss/internal/schema"
)

// expect is what the oracle makes of a raw lake.
func expect(t *testing.T, l oracle.Lake, semantics schema.Semantics) *oracle.Result {
	t.Helper()
	in, err := l.Input()
	if err != nil {
		t.Fatal(err)
	}
	res, err := oracle.Compute(in, semantics)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// check compares all that the site holds after a run with the oracle.
func (s *site) check(t *testing.T, want *oracle.Result) {
	t.Helper()
	s.checkCurated(t, want)
	multiset(t, "KPI objects", kpiObjects(t, s.objects(t, "analytics")), kpiRows(want.KPI))
	multiset(t, "kpi_table", s.table(t, "kpi_table"), kpiRows(oracle.Warehouse(want.KPI)))
	if left := s.table(t, "kpi_staging"); len(left) > 0 {
		t.Errorf("%d rows stay in kpi_staging", len(left))
	}
}

// checkCurated compares what the first two jobs leave.
func (s *site) checkCurated(t *testing.T, want *oracle.Result) {
	t.Helper()
	curated := s.objects(t, "curated")
	multiset(t, "songs", rowsOf(t, "songs", curated["processed-metadata/songs/songs.parquet"], schema.Songs), want.Songs)
	multiset(t, "users", rowsOf(t, "users", curated["processed-metadata/users/users.parquet"], schema.Users), want.Users)
	for source, rows := range want.Transformed {
		key := oracle.Object(source)
		data, ok := curated[key]
		if !ok {
			t.Errorf("no object %s", key)
			continue
		}
		multiset(t, key, rowsOf(t, key, data, schema.Transformed), rows)
	}
	if got := len(names(curated, "mss-transformed/")); got != len(want.Transformed) {
		t.Errorf("%d transformed objects for %d sources", got, len(want.Transformed))
	}
	multiset(t, "rejects", quarantined(t, curated), rejectRows(want.Rejects))
}

// multiset wants both to hold the same rows, equally often, in any order.
func multiset(t *testing.T, what string, got, want [][]any) {
	t.Helper()
	count := map[string]int{}
	for _, v := range want {
		count[cells(v)]++
	}
	for _, v := range got {
		count[cells(v)]--
	}
	var wrong []string
	for row, n := range count {
		switch {
		case n > 0:
			wrong = append(wrong, fmt.Sprintf("missing %d x %s", n, row))
		case n < 0:
			wrong = append(wrong, fmt.Sprintf("too many %d x %s", -n, row))
		}
	}
	if wrong == nil {
		return
	}
	slices.Sort(wrong)
	n := len(wrong)
	t.Errorf("%s: %d rows, want %d; %d kinds differ:\n%s", what, len(got), len(want), n, strings.Join(wrong[:min(n, 10)], "\n"))
}

// cells is a row as one text: floats to their last bit, NULL unlike any value.
func cells(v []any) string {
	out := make([]string, len(v))
	for i, c := range v {
		out[i] = fmt.Sprintf("%T:%#v", c, c)
	}
	return strings.Join(out, " | ")
}

// sorted is all rows as one text.
func sorted(rows [][]any) string {
	var out []string
	for _, v := range rows {
		out = append(out, cells(v))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func kpiRows(kpi []schema.KPI) (out [][]any) {
	for _, k := range kpi {
		out = append(out, []any{k.Type, value(k.GroupBy), k.ListenCount, value(k.AvgDuration), value(k.Popularity),
			value(k.TopTrack), value(k.TopArtist)})
	}
	return out
}

func value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// kpiObjects reads the KPI objects, with the type that their folders tell.
func kpiObjects(t *testing.T, analytics oracle.Lake) (out [][]any) {
	t.Helper()
	for _, kind := range []string{schema.Genre, schema.Hourly} {
		key := "kpi_output/kpi_type=" + kind + "/kpi.parquet"
		for _, v := range rowsOf(t, key, analytics[key], schema.KPIFile) {
			out = append(out, append([]any{kind}, v...))
		}
	}
	return out
}

// table reads a table of the SQLite or PostgreSQL warehouse.
func (s *site) table(t *testing.T, name string) (out [][]any) {
	t.Helper()
	const columns = `SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index,
		top_track, top_artist FROM `
	var rows interface {
		Next() bool
		Scan(...any) error
		Err() error
	}
	if file, ok := strings.CutPrefix(s.warehouse, "sqlite:"); ok {
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		r, err := db.Query(columns + name)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		rows = r
	} else {
		ctx, url := t.Context(), s.warehouse
		if s.direct != "" {
			url = s.direct
		}
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		r, err := conn.Query(ctx, columns+"public."+name)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		rows = r
	}
	for rows.Next() {
		var k schema.KPI
		if err := rows.Scan(&k.Type, &k.GroupBy, &k.ListenCount, &k.AvgDuration, &k.Popularity, &k.TopTrack, &k.TopArtist); err != nil {
			t.Fatal(err)
		}
		out = append(out, kpiRows([]schema.KPI{k})...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// reject is a line of a quarantine file.
type reject struct {
	Source string  `json:"source"`
	Line   int64   `json:"line"`
	Column string  `json:"column"`
	Reason string  `json:"reason"`
	Raw    *string `json:"raw,omitempty"`
	Base64 *string `json:"raw_base64,omitempty"`
}

func (r reject) row() []any {
	return []any{r.Source, r.Line, r.Column, r.Reason, value(r.Raw), value(r.Base64)}
}

func rejectRows(rejects map[string][]oracle.Reject) (out [][]any) {
	for source, list := range rejects {
		for _, r := range list {
			line := reject{Source: source, Line: r.Line, Column: r.Column, Reason: r.Reason}
			text := string(r.Raw)
			if utf8.ValidString(text) {
				line.Raw = &text
			} else {
				text = base64.StdEncoding.EncodeToString(r.Raw)
				line.Base64 = &text
			}
			out = append(out, line.row())
		}
	}
	return out
}

// quarantined reads all quarantine files. Each must stand where its source says.
func quarantined(t *testing.T, curated oracle.Lake) (out [][]any) {
	t.Helper()
	for _, key := range names(curated, "quarantine/") {
		for _, r := range parseRejects(t, key, curated[key]) {
			dataset := strings.Split(key, "/")[1]
			want := "quarantine/" + dataset + "/" + strings.TrimPrefix(r.Source, "streams/") + ".jsonl"
			if dataset != "streams" {
				want = "quarantine/" + dataset + "/" + path.Base(r.Source) + ".jsonl"
			}
			if key != want {
				t.Errorf("rejects of %s stand in %s, not in %s", r.Source, key, want)
			}
			out = append(out, r.row())
		}
	}
	return out
}

func parseRejects(t *testing.T, name string, data []byte) (out []reject) {
	t.Helper()
	if len(data) == 0 || data[len(data)-1] != '\n' {
		t.Errorf("%s does not end with a line end", name)
	}
	for _, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		var r reject
		if err := dec.Decode(&r); err != nil {
			t.Fatalf("%s: %v in %s", name, err, line)
		}
		out = append(out, r)
	}
	return out
}

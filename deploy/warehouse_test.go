package deploy_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver

	"mss/internal/kpi"
	"mss/internal/redshift"
	"mss/internal/redshift/pgtest"
	"mss/internal/schema"
)

func script(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// loadKPIs lets mss create its tables in the warehouse, and fill them.
func loadKPIs(t *testing.T, url string) {
	t.Helper()
	w, err := redshift.Open(t.Context(), url, redshift.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	pop, seven, seventeen, half, song, artist := "pop", "7", "17", 0.5, "Song", "Artist"
	rows := []schema.KPI{
		{Type: schema.Genre, GroupBy: &pop, ListenCount: 30, AvgDuration: &half, Popularity: &half, TopTrack: &song, TopArtist: &artist},
		{Type: schema.Genre, ListenCount: 3},
		{Type: schema.Hourly, GroupBy: &seven, ListenCount: 20, AvgDuration: &half, TopArtist: &artist},
		{Type: schema.Hourly, GroupBy: &seventeen, ListenCount: 10, AvgDuration: &half},
	}
	if _, err := w.Load(t.Context(), rows, kpi.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
}

// server runs statements on a PostgreSQL, and returns the rows of the last one, a line each.
func server(t *testing.T, url string, statements ...string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, s := range statements[:len(statements)-1] {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.Query(t.Context(), statements[len(statements)-1])
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		return strings.Trim(fmt.Sprint(values), "[]"), err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestTablesAreThoseOfMss: warehouse.sql makes the tables that mss makes, and mss finds nothing to add to them.
func TestTablesAreThoseOfMss(t *testing.T) {
	const columns = `SELECT table_name, ordinal_position, column_name, data_type, coalesce(character_maximum_length, 0), is_nullable
		FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`
	ours, theirs := pgtest.New(t), pgtest.New(t)
	loadKPIs(t, ours)
	want, got := server(t, ours, columns), server(t, theirs, script(t, "warehouse.sql"), columns)
	if !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("warehouse.sql makes\n%s\nmss makes\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	loadKPIs(t, theirs)
	if after := server(t, theirs, columns); !slices.Equal(after, want) {
		t.Errorf("mss added to them:\n%s", strings.Join(after, "\n"))
	}
}

const (
	askGenres = "SELECT genre, plays, avg_duration_ms, popularity_index, top_track, top_artist FROM genre_kpis ORDER BY plays DESC"
	askHours  = "SELECT hour, unique_listeners, diversity_index, top_artist FROM hourly_kpis WHERE hour > 6 ORDER BY hour"
)

var (
	wantGenres = []string{"pop 30 0.5 0.5 Song Artist", "<nil> 3 <nil> <nil> <nil> <nil>"}
	wantHours  = []string{"7 20 0.5 Artist", "17 10 0.5 <nil>"}
)

func TestViewsOnPostgreSQL(t *testing.T) {
	url := pgtest.New(t)
	loadKPIs(t, url)
	views := script(t, "views.sql")
	if got := server(t, url, views, views, askGenres); !slices.Equal(got, wantGenres) { // twice: it replaces its own
		t.Errorf("genre_kpis: %q", got)
	}
	if got := server(t, url, askHours); !slices.Equal(got, wantHours) {
		t.Errorf("hourly_kpis: %q", got)
	}
}

func TestViewsOnSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warehouse.db")
	loadKPIs(t, "sqlite:"+path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 2 {
		if _, err := db.ExecContext(t.Context(), script(t, "views.sql")); err != nil {
			t.Fatal(err)
		}
	}
	for ask, want := range map[string][]string{askGenres: wantGenres, askHours: wantHours} {
		rows, err := db.QueryContext(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := rows.Columns()
		var got []string
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.Trim(fmt.Sprint(values), "[]"))
		}
		if !slices.Equal(got, want) || rows.Err() != nil {
			t.Errorf("%s: %q, %v", ask, got, rows.Err())
		}
	}
	loadKPIs(t, "sqlite:"+path) // mss goes on with a file that has views
}

package e2e

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"mss/internal/schema"
)

// execute changes the SQLite warehouse behind the program's back.
func (s *site) execute(t *testing.T, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(s.warehouse, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// TestWarehouseIsRepaired spoils kpi_table in every way; the next run, on unchanged input, mends it.
func TestWarehouseIsRepaired(t *testing.T) {
	lake := plenty(30)
	lake["streams/b.csv"] = []byte("user_id,track_id,listen_time\n1,nobody,2024-06-01 10:00:00\n")
	s := newSite(t, lake)
	s.must(t, "run", "all")
	want := s.table(t, "kpi_table")
	for _, spoil := range []string{
		`UPDATE kpi_table SET genre_listen_count = 0 WHERE group_by = 'pop'`,
		`UPDATE kpi_table SET genre_avg_duration = genre_avg_duration + 1e-9 WHERE group_by = '10'`,
		`UPDATE kpi_table SET top_track = NULL`,
		`DELETE FROM kpi_table WHERE group_by IS NULL`,
		`DELETE FROM kpi_table`,
		`INSERT INTO kpi_table SELECT * FROM kpi_table`,
		`INSERT INTO kpi_table (kpi_type, group_by, genre_listen_count) VALUES ('genre', NULL, 7)`,
		`INSERT INTO kpi_table (kpi_type, group_by, genre_listen_count) VALUES ('genre', 'gone', 7)`,
		`INSERT INTO kpi_table (kpi_type, group_by, genre_listen_count) VALUES ('hourly', '24', 7)`,
		`INSERT INTO kpi_staging (kpi_type, group_by, genre_listen_count) VALUES ('genre', 'pop', 7), ('genre', 'x', 7);
		 DELETE FROM kpi_table WHERE group_by = '10'`,
	} {
		s.execute(t, spoil)
		s.must(t, "run", "kpi")
		multiset(t, spoil, s.table(t, "kpi_table"), want)
	}
	if left := s.table(t, "kpi_staging"); len(left) > 0 {
		t.Errorf("%d rows stay in kpi_staging", len(left))
	}
}

// TestStaleKeys has keys that the input no longer gives, and rows of somebody else.
func TestStaleKeys(t *testing.T) {
	s := newSite(t, plenty(30))
	s.must(t, "run", "all")
	want := s.table(t, "kpi_table")
	weekly := []any{"weekly", nil, int64(1), nil, nil, nil, "x"}
	gone := []any{"genre", "gone", int64(7), nil, nil, nil, nil}
	s.execute(t, `INSERT INTO kpi_table (kpi_type, group_by, genre_listen_count, top_artist) VALUES
		('weekly', NULL, 1, 'x'), ('genre', 'gone', 7, NULL)`)
	s.must(t, "run", "kpi", "--keep-stale")
	multiset(t, "--keep-stale", s.table(t, "kpi_table"), append(want[:len(want):len(want)], weekly, gone))
	s.must(t, "run", "kpi", "--keep-stale", "--full")
	multiset(t, "--keep-stale --full", s.table(t, "kpi_table"), append(want[:len(want):len(want)], weekly, gone))
	s.must(t, "run", "kpi")
	multiset(t, "after all", s.table(t, "kpi_table"), append(want[:len(want):len(want)], weekly))
}

// TestLongTexts has values that the warehouse must cut: at a character, with a warning, and never two into one.
func TestLongTexts(t *testing.T) {
	genre := strings.Repeat("é", 60) // 120 bytes
	name := "x" + strings.Repeat("日", 100)
	lake := raw("t,"+name+","+name+",1,1,"+genre+"\n", "", "1,t,2024-06-01 10:00:00\n")
	s := newSite(t, lake)
	o := s.must(t, "run", "all")
	s.check(t, expect(t, lake, schema.Corrected))
	if !strings.Contains(strings.ToLower(o.stderr), "warn") {
		t.Errorf("no warning in\n%s", o.stderr)
	}
	for _, row := range s.table(t, "kpi_table") {
		if row[0] == schema.Genre {
			equal(t, "genre", row[1].(string), genre[:100])
			equal(t, "top_track", row[5].(string), name[:253])
			equal(t, "top_artist", row[6].(string), name[:253])
		}
	}

	before := s.table(t, "kpi_table")
	lake["metadata/songs.csv"] = append(lake["metadata/songs.csv"], ("t,A,n,1,1," + genre + "B\nt,A,n,1,1,pop\n")...)
	if err := lake.Write(s.raw); err != nil {
		t.Fatal(err)
	}
	s.fails(t, 1, []string{genre, genre + "B"}, "run", "all")
	multiset(t, "kpi_table after the failed load", s.table(t, "kpi_table"), before)
}

// TestQuery reads the warehouse through the program.
func TestQuery(t *testing.T) {
	lake := plenty(30)
	lake["streams/b.csv"] = []byte("user_id,track_id,listen_time\n1,nobody,2024-06-01 10:00:00\n")
	s := newSite(t, lake)
	s.must(t, "run", "all")
	o := s.must(t, "query", "--format", "json", "--sql", `SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration,
		genre_popularity_index, top_track, top_artist FROM public.kpi_table`)
	var rows []struct {
		Type       string   `json:"kpi_type"`
		GroupBy    *string  `json:"group_by"`
		Count      int64    `json:"genre_listen_count"`
		Duration   *float64 `json:"genre_avg_duration"`
		Popularity *float64 `json:"genre_popularity_index"`
		Track      *string  `json:"top_track"`
		Artist     *string  `json:"top_artist"`
	}
	if err := json.Unmarshal([]byte(o.stdout), &rows); err != nil {
		t.Fatalf("%v in %s", err, o.stdout)
	}
	var got []schema.KPI
	for _, r := range rows {
		got = append(got, schema.KPI{Type: r.Type, GroupBy: r.GroupBy, ListenCount: r.Count, AvgDuration: r.Duration,
			Popularity: r.Popularity, TopTrack: r.Track, TopArtist: r.Artist})
	}
	multiset(t, "query", kpiRows(got), kpiRows(expect(t, lake, schema.Corrected).KPI))
}

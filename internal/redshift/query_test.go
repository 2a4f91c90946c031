package redshift

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"mss/internal/kpi"
	"mss/internal/schema"
)

func TestSampleQueries(t *testing.T) {
	rows := []schema.KPI{noGenre(20), genre("pop", 20), genre("jazz", 20), genre("ska", 5), genre("rock", 100)}
	for _, h := range []string{"10", "9", "0", "23", "2"} {
		rows = append(rows, hour(h, 7))
	}
	rows = append(rows, hour("5", 8))
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, rows, kpi.LoadOptions{}, true)
		do(t, w, "INSERT INTO public.kpi_table (kpi_type, group_by) VALUES ('genre', 'no count'), ('hourly', 'no count'), ('daily', 'x')")
		genres, err := w.Query(t.Context(), QueryGenres())
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"genre", "genre_listen_count", "genre_popularity_index", "top_artist"}; !reflect.DeepEqual(genres.Columns, want) {
			t.Errorf("columns %v", genres.Columns)
		}
		if got, want := column(genres, 0), []any{"rock", "jazz", "pop", nil, "ska", "no count"}; !reflect.DeepEqual(got, want) {
			t.Errorf("genres %v, want %v", got, want)
		}
		if got, want := genres.Rows[1], []any{"jazz", int64(20), 50.5, "artist of jazz"}; !reflect.DeepEqual(got, want) {
			t.Errorf("row %v, want %v", got, want)
		}
		hours, err := w.Query(t.Context(), QueryHours())
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"hour", "unique_listeners", "diversity_index"}; !reflect.DeepEqual(hours.Columns, want) {
			t.Errorf("columns %v", hours.Columns)
		}
		if got, want := column(hours, 0), []any{"5", "0", "2", "9", "10", "23", "no count"}; !reflect.DeepEqual(got, want) {
			t.Errorf("hours %v, want %v", got, want)
		}
		// The user's own texts.
		for _, sql := range []string{
			"SELECT \n    group_by as genre,\n    genre_listen_count,\n    genre_popularity_index,\n    top_artist\nFROM public.kpi_table \nWHERE kpi_type = 'genre'\nORDER BY genre_listen_count DESC;",
			"SELECT \n    group_by as hour,\n    genre_listen_count as unique_listeners,\n    genre_avg_duration as diversity_index\nFROM public.kpi_table \nWHERE kpi_type = 'hourly'\nORDER BY unique_listeners DESC;\n",
		} {
			if table, err := w.Query(t.Context(), sql); err != nil || len(table.Rows) < 6 {
				t.Errorf("%v: %s", err, sql)
			}
		}
	})
}

func column(t *Table, n int) []any {
	var values []any
	for _, row := range t.Rows {
		values = append(values, row[n])
	}
	return values
}

func TestQueryValues(t *testing.T) {
	moment := time.Date(2024, 2, 29, 23, 59, 58, 123456000, time.UTC)
	type value struct {
		sql  string
		want any
	}
	same := []value{
		{"NULL", nil}, {"CAST(NULL AS BIGINT)", nil}, {"CAST(7 AS BIGINT)", int64(7)}, {"9223372036854775807", int64(math.MaxInt64)},
		{"CAST(0.1 AS DOUBLE PRECISION)", 0.1}, {"'text'", "text"}, {"''", ""}, {"'中 🎵'", "中 🎵"}, {"COUNT(*)", int64(1)},
	}
	servers := []value{
		{"TRUE", true}, {"1 = 0", false}, {"CAST(7 AS SMALLINT)", int64(7)}, {"CAST(0.1 AS REAL)", 0.1}, {"CAST('NaN' AS NUMERIC)", "NaN"},
		{"CAST(12345678901234567890.1200 AS NUMERIC(30, 4))", json.Number("12345678901234567890.1200")}, {"AVG(2)", json.Number("2.0000000000000000")},
		{"CAST('2024-02-29' AS DATE)", "2024-02-29"}, {"CAST('2024-02-29 23:59:58.123456' AS TIMESTAMP)", moment},
		{"CAST('2024-03-01 05:29:58.123456+05:30' AS TIMESTAMPTZ)", moment}, {"CAST('infinity' AS TIMESTAMP)", "infinity"},
		{"CAST('abc' AS NAME)", "abc"},
	}
	postgres := value{`CAST('\x00ff' AS BYTEA)`, []byte{0, 255}}
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		cases := same
		if !strings.HasPrefix(url, "sqlite") {
			cases = append(cases[:len(cases):len(cases)], servers...)
		}
		if strings.HasPrefix(url, "postgres") { // Redshift has no BYTEA
			cases = append(cases, postgres)
		}
		for _, c := range cases {
			table, err := w.Query(t.Context(), "SELECT "+c.sql+" AS v")
			if err != nil {
				t.Errorf("%s: %v", c.sql, err)
				continue
			}
			if len(table.Columns) != 1 || table.Columns[0] != "v" || len(table.Rows) != 1 || !reflect.DeepEqual(table.Rows[0][0], c.want) {
				t.Errorf("%s: %v %#v, want %#v", c.sql, table.Columns, table.Rows, c.want)
			}
		}
		empty, err := w.Query(t.Context(), "SELECT kpi_type, top_track FROM public.kpi_table WHERE 1 = 0")
		if err != nil || len(empty.Columns) != 2 || len(empty.Rows) != 0 {
			t.Errorf("no rows: %+v, %v", empty, err)
		}
	})
}

func TestQueryChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, before(), kpi.LoadOptions{}, true)
		for _, sql := range []string{"DELETE FROM public.kpi_table", "DROP TABLE public.kpi_table", "CREATE TABLE public.x (n INT)",
			"UPDATE public.kpi_table SET top_track = 'x'", "SELECT 1; DELETE FROM public.kpi_table", "DELETE FROM public.kpi_table; COMMIT"} {
			if _, err := w.Query(t.Context(), sql); err == nil {
				t.Errorf("%s: no error", sql)
			}
		}
		wantRows(t, w, before())
		load(t, w, after(), kpi.LoadOptions{}, true) // the connection writes again
		wantRows(t, w, after())
	})
}

func TestQueryErrors(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, before(), kpi.LoadOptions{}, true)
		for _, sql := range []string{"SELEC 1", "SELECT no_such_column FROM public.kpi_table", "SELECT * FROM public.no_such_table"} {
			if _, err := w.Query(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "query in "+MaskURL(url)) {
				t.Errorf("%s: %v", sql, err)
			}
		}
		// An error of the caller's comes back as it is, from the columns and from a row, and ends the query.
		stop, rows := errors.New("stop"), 0
		many := "SELECT a.kpi_type FROM public.kpi_table a, public.kpi_table b, public.kpi_table c, public.kpi_table d, public.kpi_table e, " +
			"public.kpi_table f, public.kpi_table g, public.kpi_table h, public.kpi_table i, public.kpi_table j, public.kpi_table k"
		start := time.Now()
		err := w.stream(t.Context(), many, func([]string) error { return nil }, func([]any) error {
			if rows++; rows == 3 {
				return stop
			}
			return nil
		})
		if err != stop || rows != 3 {
			t.Errorf("%d rows, %v", rows, err)
		}
		if err := w.stream(t.Context(), many, func([]string) error { return stop }, nil); err != stop {
			t.Errorf("columns: %v", err)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("ending a query of 49 million rows took %s", took)
		}
		wantRows(t, w, before())
	})
}

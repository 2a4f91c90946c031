package redshift

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mss/internal/kpi"
	"mss/internal/schema"
)

var update = flag.Bool("update", false, "write testdata/statements_*.sql")

// TestStatements lists all that is sent to each warehouse, so that a change of it shows in review.
func TestStatements(t *testing.T) {
	for _, target := range targets[:3] {
		t.Run(target.name, func(t *testing.T) {
			url := target.url(t)
			w := open(t, url)
			do(t, w, "DROP TABLE public.kpi_table", "DROP TABLE public.kpi_staging", "DROP TABLE public.mss_fence")
			var list strings.Builder
			tap(w, func(_ context.Context, _ session, sql string) error {
				list.WriteString(sql + ";\n")
				return nil
			})
			step := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				list.WriteString("\n")
			}
			title := func(name string) { fmt.Fprintf(&list, "-- %s\n", name) }
			title("Open, the tables are absent")
			step(w.ensureTables(t.Context()))
			title("Open, the tables are there")
			step(w.ensureTables(t.Context()))
			rows := []schema.KPI{noGenre(1), hour("0", 2)}
			title("Load, two rows")
			_, err := w.Load(t.Context(), rows, kpi.LoadOptions{})
			step(err)
			title("Load, nothing differs")
			_, err = w.Load(t.Context(), rows, kpi.LoadOptions{})
			step(err)
			title("Load, always, keeping stale keys")
			_, err = w.Load(t.Context(), rows[:1], kpi.LoadOptions{Always: true, KeepStale: true})
			step(err)
			title("Load, fenced")
			_, err = w.Load(t.Context(), rows[:1], fenced(1, "a"))
			step(err)
			title("Load, fenced, nothing differs")
			_, err = w.Load(t.Context(), rows[:1], fenced(1, "a"))
			step(err)
			title("Load, fenced, nothing differs, the fence is raised")
			_, err = w.Load(t.Context(), rows[:1], raising(fenced(2, "b")))
			step(err)
			title("Rows")
			_, err = w.Rows(t.Context())
			step(err)
			title("Query, genres")
			_, err = w.Query(t.Context(), QueryGenres())
			step(err)
			title("Query, hours")
			_, err = w.Query(t.Context(), QueryHours())
			step(err)

			listed := list.String()
			golden := filepath.Join("testdata", "statements_"+target.name+".sql")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(listed), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if listed != string(want) {
				t.Errorf("the statements are no longer those of %s (go test -update rewrites it):\n%s", golden, listed)
			}
		})
	}
	// Of what Redshift lacks nothing is used, on any warehouse.
	lacking := regexp.MustCompile(`(?i)\b(ON CONFLICT|RETURNING|DISTINCT FROM|TRUNCATE|SAVEPOINT|FROM STDIN|MERGE|WITH)\b`)
	for _, target := range targets[:3] {
		text, err := os.ReadFile(filepath.Join("testdata", "statements_"+target.name+".sql"))
		if err != nil {
			t.Fatal(err)
		}
		if found := lacking.FindString(string(text)); found != "" {
			t.Errorf("%s: %s", target.name, found)
		}
	}
}

// TestCreateIsTheUsersDDL compares the columns with the table that the user's document creates.
func TestCreateIsTheUsersDDL(t *testing.T) {
	const users = `kpi_type VARCHAR(20), group_by VARCHAR(100), genre_listen_count BIGINT, genre_avg_duration DOUBLE PRECISION, genre_popularity_index DOUBLE PRECISION, top_track VARCHAR(255), top_artist VARCHAR(255)`
	for _, table := range []string{"kpi_table", "kpi_staging"} {
		want := "CREATE TABLE IF NOT EXISTS public." + table + " ( " + users + " )"
		if got := strings.Join(strings.Fields(createSQL(table)), " "); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

func TestInsertStaysInLimits(t *testing.T) {
	if n := batchRows * 7; n > 32766 {
		t.Errorf("%d bind parameters", n)
	}
	text := batchRows * (20 + groupByWidth + 2*topWidth + 3*330) // a double can take 330 bytes as text
	if n := text + len(insertStagingSQL(batchRows)); n > 16_000_000 {
		t.Errorf("%d bytes", n)
	}
}

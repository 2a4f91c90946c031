package cli

import (
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"

	"mss/internal/kpi"
	"mss/internal/redshift"
	"mss/internal/schema"
)

func ptr[T any](v T) *T { return &v }

// warehouseWithRows makes a warehouse in w.db of the working directory.
func warehouseWithRows(t *testing.T) map[string]string {
	t.Helper()
	t.Chdir(t.TempDir())
	w, err := redshift.Open(t.Context(), "sqlite:w.db", redshift.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	rows := []schema.KPI{
		{Type: schema.Genre, GroupBy: ptr("jazz"), ListenCount: 7, AvgDuration: ptr(1e6 / 3), Popularity: ptr(50.5), TopTrack: ptr("a"), TopArtist: ptr("小林, さくら")},
		{Type: schema.Genre, GroupBy: ptr("pop"), ListenCount: 1200, AvgDuration: ptr(2.), Popularity: ptr(1. / 3), TopTrack: ptr("b"), TopArtist: ptr("B")},
		{Type: schema.Genre, GroupBy: nil, ListenCount: 7},
		{Type: schema.Hourly, GroupBy: ptr("9"), ListenCount: 3, AvgDuration: ptr(0.25), TopArtist: ptr("B")},
		{Type: schema.Hourly, GroupBy: ptr("10"), ListenCount: 5, AvgDuration: ptr(1.), TopArtist: ptr("B")},
	}
	if _, err := w.Load(t.Context(), rows, kpi.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"MSS_WAREHOUSE": "sqlite:w.db"}
}

func TestSampleQueries(t *testing.T) {
	env := warehouseWithRows(t)
	for args, want := range map[string]string{
		"query genres": `
╭───────┬────────────────────┬────────────────────────┬──────────────╮
│ genre │ genre_listen_count │ genre_popularity_index │ top_artist   │
├───────┼────────────────────┼────────────────────────┼──────────────┤
│ pop   │               1200 │                 0.3333 │ B            │
│ jazz  │                  7 │                50.5000 │ 小林, さくら │
│ NULL  │                  7 │                   NULL │ NULL         │
╰───────┴────────────────────┴────────────────────────┴──────────────╯
(3 rows)
`,
		"query hours": `
╭──────┬──────────────────┬─────────────────╮
│ hour │ unique_listeners │ diversity_index │
├──────┼──────────────────┼─────────────────┤
│   10 │                5 │          1.0000 │
│    9 │                3 │          0.2500 │
╰──────┴──────────────────┴─────────────────╯
(2 rows)
`,
		"query genres --format csv": `
genre,genre_listen_count,genre_popularity_index,top_artist
pop,1200,0.3333333333333333,B
jazz,7,50.5,"小林, さくら"
,7,,
`,
		"query hours --output json": `
[
  {"hour": "10", "unique_listeners": 5, "diversity_index": 1},
  {"hour": "9", "unique_listeners": 3, "diversity_index": 0.25}
]
`,
		"query hours --output json --format csv": `
hour,unique_listeners,diversity_index
10,5,1
9,3,0.25
`,
	} {
		r := mss(t, env, strings.Fields(args)...)
		if r.code != 0 || r.stdout != want[1:] {
			t.Errorf("mss %s: exit code %d, %s, got\n%s\nwant\n%s", args, r.code, r.stderr, r.stdout, want[1:])
		}
	}
}

func TestFreeQuery(t *testing.T) {
	env := warehouseWithRows(t)
	r := mss(t, env, "query", "--format", "json", "--sql",
		"SELECT kpi_type, group_by, genre_avg_duration AS ms FROM public.kpi_table WHERE group_by = 'jazz' OR group_by IS NULL ORDER BY group_by NULLS LAST")
	want := "[\n  {\"kpi_type\": \"genre\", \"group_by\": \"jazz\", \"ms\": 333333.3333333333},\n  {\"kpi_type\": \"genre\", \"group_by\": null, \"ms\": null}\n]\n"
	if r.code != 0 || r.stdout != want || !json.Valid([]byte(r.stdout)) {
		t.Errorf("exit code %d, %s\n%s", r.code, r.stderr, r.stdout)
	}
	if r := mss(t, env, "query", "--sql", "SELECT x FROM nowhere"); r.code != 1 || !strings.Contains(r.stderr, "nowhere") || r.stdout != "" {
		t.Errorf("a wrong statement: %+v", r)
	}
	mss(t, env, "query", "--sql", "DELETE FROM public.kpi_table")
	if r := mss(t, env, "query", "genres", "--format", "csv"); strings.Count(r.stdout, "\n") != 4 {
		t.Errorf("a query changed the warehouse: %s", r.stdout)
	}
}

func TestQueryWithoutAWarehouse(t *testing.T) {
	t.Chdir(t.TempDir())
	r := mss(t, nil, "query", "genres")
	if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, "lake/warehouse.db") {
		t.Errorf("%+v", r)
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("a query left %v behind", left)
	}
}

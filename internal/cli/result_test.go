package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"mss/internal/redshift"
)

var (
	sampleColumns = []string{"genre", "plays", "index", "top"}
	sampleRows    = [][]any{
		{"jazz", int64(1200), 1.0 / 3, "小林さくら"},
		{"a,b \"c\"\nd", int64(7), nil, "Ærø <&>"},
		{nil, int64(math.MaxInt64), 1e-7, ""},
	}
)

func render(t *testing.T, format string, columns []string, rows [][]any) string {
	t.Helper()
	var out bytes.Buffer
	if err := writeResult(&out, format, &redshift.Table{Columns: columns, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTableResult(t *testing.T) {
	want := strings.TrimPrefix(`
╭───────────┬─────────────────────┬────────┬────────────╮
│ genre     │               plays │  index │ top        │
├───────────┼─────────────────────┼────────┼────────────┤
│ jazz      │                1200 │ 0.3333 │ 小林さくら │
│ a,b "c"�d │                   7 │   NULL │ Ærø <&>    │
│ NULL      │ 9223372036854775807 │  1e-07 │            │
╰───────────┴─────────────────────┴────────┴────────────╯
(3 rows)
`, "\n")
	if got := render(t, "table", sampleColumns, sampleRows); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := render(t, "table", []string{"x"}, [][]any{{"\x1b[31m\u202ered"}}); strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("data commands the terminal: %q", got)
	}
	if got := render(t, "table", []string{"x"}, nil); !strings.HasSuffix(got, "(0 rows)\n") {
		t.Errorf("no rows: %s", got)
	}
}

func TestCSVResult(t *testing.T) {
	want := "genre,plays,index,top\njazz,1200,0.3333333333333333,小林さくら\n\"a,b \"\"c\"\"\nd\",7,,Ærø <&>\n,9223372036854775807,1e-07,\n"
	if got := render(t, "csv", sampleColumns, sampleRows); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got := render(t, "csv", []string{"x"}, [][]any{{nil}, {"a"}, {""}})
	if records, err := csv.NewReader(strings.NewReader(got)).ReadAll(); err != nil || len(records) != 4 {
		t.Errorf("a NULL alone in its row: %q is %d records, %v", got, len(records), err)
	}
}

func TestJSONResult(t *testing.T) {
	want := `[
  {"genre": "jazz", "plays": 1200, "index": 0.3333333333333333, "top": "小林さくら"},
  {"genre": "a,b \"c\"\nd", "plays": 7, "index": null, "top": "Ærø <&>"},
  {"genre": null, "plays": 9223372036854775807, "index": 1e-7, "top": ""}
]
`
	got := render(t, "json", sampleColumns, sampleRows)
	if got != want || !json.Valid([]byte(got)) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := render(t, "json", sampleColumns, nil); got != "[]\n" {
		t.Errorf("no rows: %q", got)
	}
	odd := []any{math.Inf(1), math.NaN(), []byte("b"), time.Date(2024, 6, 1, 2, 3, 4, 5000, time.UTC), true, json.Number("12.50")}
	got = render(t, "json", []string{"a", "b", "c", "d", "e", "f"}, [][]any{odd})
	if want := `{"a": "+Inf", "b": "NaN", "c": "b", "d": "2024-06-01 02:03:04.000005", "e": true, "f": 12.50}`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := writeResult(&bytes.Buffer{}, "json", &redshift.Table{Columns: []string{"a", "a"}}); exitCode(err) != 2 {
		t.Errorf("two columns of one name: %v", err)
	}
}

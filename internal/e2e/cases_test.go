package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"mss/internal/oracle"
	"mss/internal/schema"
)

// TestCases runs the folders below testdata/cases at the top of the repository, one hazard each. Their expectations were written by
// hand from the contract, and hold for the program and for the oracle. testdata/README.md says what lies in them.
func TestCases(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/cases/*")
	if err != nil || len(dirs) < 20 {
		t.Fatalf("%d cases: %v", len(dirs), err)
	}
	for _, dir := range dirs {
		for _, semantics := range []schema.Semantics{schema.Corrected, schema.Glue} {
			t.Run(filepath.Base(dir)+"/"+string(semantics), func(t *testing.T) {
				t.Parallel()
				lake, err := oracle.ReadLake(filepath.Join(dir, "raw"))
				if err != nil {
					t.Fatal(err)
				}
				kpi := wantedKPI(t, filepath.Join(dir, "kpi.csv"))
				if glue := filepath.Join(dir, "kpi.glue.csv"); semantics == schema.Glue && exists(glue) {
					kpi = wantedKPI(t, glue)
				}
				table := kpi
				if cut := filepath.Join(dir, "kpi_table.csv"); exists(cut) {
					table = wantedKPI(t, cut)
				}
				var rejects [][]any
				if file := filepath.Join(dir, "rejects.jsonl"); exists(file) {
					data, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range parseRejects(t, file, data) {
						rejects = append(rejects, r.row())
					}
				}
				want := expect(t, lake, semantics)
				multiset(t, "KPIs of the oracle", kpiRows(want.KPI), kpi)
				multiset(t, "kpi_table of the oracle", kpiRows(oracle.Warehouse(want.KPI)), table)
				multiset(t, "rejects of the oracle", rejectRows(want.Rejects), rejects)

				s := newSite(t, lake)
				s.must(t, "run", "all", "--semantics", string(semantics), "--max-reject-ratio", "1")
				s.check(t, want)
			})
		}
	}
}

// wantedKPI reads rows of all seven columns. (encoding/csv would turn the CR LF of a text into LF.)
func wantedKPI(t *testing.T, name string) (out [][]any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	table := schema.Table{Name: name, Columns: []schema.Column{{Name: "kpi_type", Kind: schema.String}}}
	for _, c := range schema.KPIFile.Columns {
		table.Columns = append(table.Columns, schema.Column{Name: c.Name, Kind: schema.String, Nullable: true})
	}
	rows, rejects, err := oracle.ReadCSV(data, table)
	if err != nil || len(rejects) > 0 {
		t.Fatalf("%s: %v %v", name, err, rejects)
	}
	for _, r := range rows {
		v := r.Values
		if v[2], err = strconv.ParseInt(v[2].(string), 10, 64); err != nil {
			t.Fatal(err)
		}
		for i := 3; i <= 4; i++ {
			if s, ok := v[i].(string); ok {
				if v[i], err = strconv.ParseFloat(s, 64); err != nil {
					t.Fatal(err)
				}
			}
		}
		out = append(out, v)
	}
	return out
}

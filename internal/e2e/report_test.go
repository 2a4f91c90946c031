package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"mss/internal/oracle"
	"mss/internal/report"
	"mss/internal/schema"
)

// document parses stdout, which must be one JSON document of exactly the fixed fields.
func document(t *testing.T, stdout string) report.Run {
	t.Helper()
	var fields struct {
		Jobs []map[string]any `json:"jobs"`
	}
	if err := json.Unmarshal([]byte(stdout), &fields); err != nil {
		t.Fatalf("%v in\n%s", err, stdout)
	}
	for _, job := range fields.Jobs {
		got := slices.Sorted(maps.Keys(job))
		want := []string{"bytes_read", "bytes_written", "collapsed", "job", "objects", "plays", "rejected", "rows_in", "rows_out",
			"rows_per_s", "seconds", "sources", "total"}
		if !slices.Equal(got, want) {
			t.Errorf("fields %v, want %v", got, want)
		}
	}
	var run report.Run
	dec := json.NewDecoder(strings.NewReader(stdout))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&run); err != nil {
		t.Fatal(err)
	}
	return run
}

// TestReport compares the figures of a run with the oracle's.
func TestReport(t *testing.T) {
	lake := oracle.Hazard{Seed: 42, Songs: 150, Users: 40, Plays: 600, Files: 3, Bad: 0.1}.New()
	for _, semantics := range []schema.Semantics{schema.Corrected, schema.Glue} {
		t.Run(string(semantics), func(t *testing.T) {
			want := expect(t, lake, semantics)
			s := newSite(t, lake)
			o := s.must(t, "run", "all", "--output", "json", "--max-reject-ratio", "1", "--semantics", string(semantics))
			run := document(t, o.stdout)
			if run.Run == "" || run.Outcome != report.Done || len(run.Jobs) != 3 {
				t.Fatalf("run %q, outcome %q, %d jobs", run.Run, run.Outcome, len(run.Jobs))
			}
			reasons := func(metadata bool) map[string]int64 {
				out := map[string]int64{}
				for source, list := range want.Rejects {
					if strings.HasPrefix(source, "metadata/") == metadata {
						for _, r := range list {
							out[r.Reason]++
						}
					}
				}
				return out
			}
			var rows int64
			for _, list := range want.Transformed {
				rows += int64(len(list))
			}
			m, i, k := run.Jobs[0], run.Jobs[1], run.Jobs[2]
			equal(t, "names", m.Job+i.Job+k.Job, "metadataintegratekpi")
			equal(t, "metadata: rows in", m.RowsIn, want.RowsIn["songs"]+want.RowsIn["users"])
			equal(t, "metadata: rows out", m.RowsOut, int64(len(want.Songs)+len(want.Users)))
			equal(t, "metadata: balance", m.RowsIn, m.RowsOut+m.RejectedTotal()+m.Collapsed)
			equal(t, "metadata: objects", m.Objects, 2)
			equalRejects(t, "metadata", m.Rejected, reasons(true))
			equal(t, "integrate: rows in", i.RowsIn, want.RowsIn["streams"])
			equal(t, "integrate: plays", i.Plays, want.Plays)
			equal(t, "integrate: rows out", i.RowsOut, rows)
			equal(t, "integrate: balance", i.RowsIn, i.Plays+i.RejectedTotal())
			equal(t, "integrate: objects", i.Objects, len(want.Transformed))
			equalRejects(t, "integrate", i.Rejected, reasons(false))
			equal(t, "kpi: rows in", k.RowsIn, rows)
			equal(t, "kpi: plays", k.Plays, want.Plays)
			equal(t, "kpi: rows out", k.RowsOut, int64(len(want.KPI)))
			equal(t, "kpi: objects", k.Objects, 2)
			for _, j := range run.Jobs {
				if j.BytesRead <= 0 || j.BytesWritten <= 0 || j.Seconds <= 0 || j.RowsPerS <= 0 {
					t.Errorf("%s: %+v", j.Job, j)
				}
			}
		})
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func equalRejects(t *testing.T, job string, got, want map[string]int64) {
	t.Helper()
	maps.DeleteFunc(got, func(_ string, n int64) bool { return n == 0 })
	if !maps.Equal(got, want) {
		t.Errorf("%s: rejected %v, want %v", job, got, want)
	}
}

// TestReportOfRefusal wants the document also from a run that is refused.
func TestReportOfRefusal(t *testing.T) {
	s := newSite(t, raw("t,A,n,1,1,g\n", "1,\n", "1,t,2024-06-01 10:00:00\n1,t,never\n"))
	o := s.mss(t, "run", "all", "--output", "json")
	equal(t, "exit code", o.code, 3)
	run := document(t, o.stdout)
	equal(t, "outcome", run.Outcome, report.Refused)
	if len(run.Jobs) != 2 || run.Jobs[1].Rejected[oracle.BadTimestamp] != 1 {
		t.Errorf("%+v", run.Jobs)
	}
}

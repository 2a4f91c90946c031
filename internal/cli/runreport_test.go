package cli

import (
	"slices"
	"strings"
	"testing"

	"mss/internal/report"
)

func TestRunText(t *testing.T) {
	got := runText(report.Run{Run: "R", Outcome: report.Refused, Jobs: []report.Job{
		{Job: "metadata", RowsIn: 1234567, RowsOut: 1234000, Rejected: map[string]int64{"bad_number": 60, "missing_key": 7},
			Collapsed: 500, BytesRead: 25_000_000, BytesWritten: 8_100_000, Objects: 2, Seconds: 1.5, RowsPerS: 823044.7},
		{Job: "integrate", RowsIn: 100, RowsOut: 120, Plays: 90, Rejected: map[string]int64{"bad_timestamp": 10}, Seconds: 0.5},
	}})
	want := strings.TrimPrefix(`
run R: refused in 2.00 s
╭─────────────────┬───────────┬───────────╮
│                 │  metadata │ integrate │
├─────────────────┼───────────┼───────────┤
│ rows in         │ 1,234,567 │       100 │
│ rows out        │ 1,234,000 │       120 │
│ plays           │         0 │        90 │
│ rejected        │        67 │        10 │
│   bad_number    │        60 │         0 │
│   bad_timestamp │         0 │        10 │
│   missing_key   │         7 │         0 │
│ collapsed       │       500 │         0 │
│ objects         │         2 │         0 │
│ read            │     25 MB │       0 B │
│ written         │    8.1 MB │       0 B │
│ seconds         │      1.50 │      0.50 │
│ rows/s          │   823,044 │         0 │
╰─────────────────┴───────────┴───────────╯
  metadata   1,234,567 rows in = 1,234,000 rows out + 67 rejected + 500 collapsed
  integrate  100 rows in = 90 plays + 10 rejected
`, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBalanceThatDoesNotBalance(t *testing.T) {
	got := balance(report.Job{Job: "integrate", RowsIn: 10, Plays: 7, Rejected: map[string]int64{"x": 1}})
	if len(got) != 1 || !strings.Contains(got[0], "2 unaccounted for") {
		t.Error(got)
	}
}

func TestBalanceOfAnIncrementalRun(t *testing.T) {
	all := report.Total{Sources: 3, RowsIn: 1000, RowsOut: 900, Plays: 990, Rejected: 10, Collapsed: 90}
	for _, c := range []struct {
		job  report.Job
		want []string
	}{
		{report.Job{Job: "integrate", RowsIn: 100, Plays: 100, Total: all},
			[]string{"100 rows in = 100 plays + 0 rejected", "in all 3 sources: 1,000 rows in = 990 plays + 10 rejected"}},
		{report.Job{Job: "integrate", Total: all}, []string{"in all 3 sources: 1,000 rows in = 990 plays + 10 rejected"}},
		{report.Job{Job: "metadata", Total: all}, []string{"in all 3 sources: 1,000 rows in = 900 rows out + 10 rejected + 90 collapsed"}},
		{report.Job{Job: "integrate", RowsIn: 1000, Plays: 990, Rejected: map[string]int64{"x": 10}, Total: all}, []string{"1,000 rows in = 990 plays + 10 rejected"}},
	} {
		if got := balance(c.job); !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

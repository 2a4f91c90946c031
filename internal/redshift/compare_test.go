package redshift

import (
	"testing"

	"mss/internal/kpi"
	"mss/internal/report"
	"mss/internal/schema"
)

// TestCompare tells what a load would do, on a table that is not there, on the same rows and on others, and does nothing.
func TestCompare(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		same := func(rows []schema.KPI, keepStale bool, want report.RowPlan) {
			t.Helper()
			if got, err := w.Compare(t.Context(), rows, keepStale); err != nil || got != want {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
		}
		n := len(before())
		same(before(), false, report.RowPlan{Total: n, Inserted: n})
		load(t, w, before(), kpi.LoadOptions{}, true)
		same(before(), false, report.RowPlan{Total: n, Same: n})
		changed := before()
		changed[0].ListenCount++
		same(changed[:n-1], false, report.RowPlan{Total: n - 1, Replaced: 1, Same: n - 2, Deleted: 1})
		same(changed[:n-1], true, report.RowPlan{Total: n, Replaced: 1, Same: n - 2})
		same(nil, false, report.RowPlan{Deleted: n})
		wantRows(t, w, before())
		do(t, w, "DROP TABLE public.kpi_table")
		same(before(), false, report.RowPlan{Total: n, Inserted: n})
		if _, err := w.Compare(t.Context(), append(before(), before()...), false); err == nil {
			t.Error("rows with doubled keys are compared")
		}
	})
}

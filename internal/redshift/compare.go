package redshift

import (
	"context"
	"fmt"
	"log/slog"

	"mss/internal/report"
	"mss/internal/schema"
)

// Compare tells how kpi_table would change by a load of rows, and changes nothing. A table that is not there yet is empty.
func (w *Warehouse) Compare(ctx context.Context, rows []schema.KPI, keepStale bool) (report.RowPlan, error) {
	var d report.RowPlan
	want, err := fit(rows, slog.New(slog.DiscardHandler))
	if err != nil {
		return d, fmt.Errorf("compare with public.kpi_table in %s: %w", w.name, err)
	}
	var have []record
	err = w.with(ctx, func(s session) error {
		found, err := w.tables(ctx, s)
		if err == nil && found[kpiTable] {
			have, err = readRecords(ctx, s)
		}
		return err
	})
	if err != nil {
		return d, w.explain(ctx, "compare with public.kpi_table in", err)
	}
	was := make(map[key][]record, len(have))
	for _, r := range have {
		was[r.key()] = append(was[r.key()], r)
	}
	d.Total = len(want)
	for _, r := range want {
		switch old := was[r.key()]; {
		case len(old) == 0:
			d.Inserted++
		case len(old) == 1 && old[0] == r:
			d.Same++
		default:
			d.Replaced++
		}
		delete(was, r.key())
	}
	for _, old := range was {
		if keepStale {
			d.Total += len(old)
		} else {
			d.Deleted += len(old)
		}
	}
	return d, nil
}

// sameRecords compares two tables as multisets of rows. With keepStale, rows of keys that want does not have count for nothing.
func sameRecords(have, want []record, keepStale bool) bool {
	left := make(map[record]int, len(want))
	wanted := make(map[key]bool, len(want))
	for _, r := range want {
		left[r]++
		wanted[r.key()] = true
	}
	for _, r := range have {
		if keepStale && !wanted[r.key()] {
			continue
		}
		if left[r] == 0 {
			return false
		}
		if left[r]--; left[r] == 0 {
			delete(left, r)
		}
	}
	return len(left) == 0
}

// checkKeys tells whether the load left each key of want once and, unless keepStale, no other.
func checkKeys(have, want []record, keepStale bool) error {
	times := make(map[key]int, len(have))
	for _, r := range have {
		times[r.key()]++
	}
	for _, r := range want {
		if n := times[r.key()]; n != 1 {
			return fmt.Errorf("public.kpi_table holds row %s %d times after the insert; nothing was changed", r.key(), n)
		}
	}
	if !keepStale && len(have) != len(want) {
		return fmt.Errorf("public.kpi_table holds %d rows after %d were inserted; nothing was changed", len(have), len(want))
	}
	return nil
}

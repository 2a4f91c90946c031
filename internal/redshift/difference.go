package redshift

import (
	"context"
	"fmt"
	"log/slog"

	"mss/internal/schema"
)

// Difference counts the genre and hourly rows by what a load would do with them.
type Difference struct {
	Total    int // rows after the load
	Inserted int
	Replaced int // the key is there, with other values
	Deleted  int
	Same     int
}

// Compare tells how kpi_table would change by a load of rows, and changes nothing. A table that is not there yet is empty.
func (w *Warehouse) Compare(ctx context.Context, rows []schema.KPI, keepStale bool) (Difference, error) {
	var d Difference
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

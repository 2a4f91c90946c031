package redshift

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"mss/internal/schema"
)

// Rows are the genre and hourly rows of kpi_table, ordered by kpi_type, then by the bytes of group_by, NULL last.
func (w *Warehouse) Rows(ctx context.Context) ([]schema.KPI, error) {
	var records []record
	err := w.with(ctx, func(s session) (err error) {
		records, err = readRecords(ctx, s)
		return err
	})
	if err != nil {
		return nil, w.explain(ctx, "read public.kpi_table in", err)
	}
	slices.SortFunc(records, compareKeys)
	rows := make([]schema.KPI, len(records))
	for i, r := range records {
		if r.odd != "" {
			return nil, fmt.Errorf("read public.kpi_table in %s: row %s: %s; a load replaces it", w.name, r.key(), r.odd)
		}
		rows[i] = r.kpi()
	}
	return rows, nil
}

func (r record) kpi() schema.KPI {
	k := schema.KPI{Type: r.kpiType, ListenCount: r.count}
	for _, t := range []struct {
		from text
		to   **string
	}{{r.groupBy, &k.GroupBy}, {r.topTrack, &k.TopTrack}, {r.topArtist, &k.TopArtist}} {
		if t.from.notNull {
			*t.to = &t.from.s
		}
	}
	for _, d := range []struct {
		from double
		to   **float64
	}{{r.average, &k.AvgDuration}, {r.index, &k.Popularity}} {
		if d.from.notNull {
			v := math.Float64frombits(d.from.bits)
			*d.to = &v
		}
	}
	return k
}

func compareKeys(a, b record) int {
	if c := strings.Compare(a.kpiType, b.kpiType); c != 0 {
		return c
	}
	switch {
	case a.groupBy.notNull == b.groupBy.notNull:
		return strings.Compare(a.groupBy.s, b.groupBy.s)
	case a.groupBy.notNull:
		return -1
	}
	return 1
}

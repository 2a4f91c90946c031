package redshift

import (
	"context"
	"fmt"
	"time"

	"mss/internal/kpi"
	"mss/internal/schema"
)

// lockPatience is how long a load waits for another without a word.
const lockPatience = 10 * time.Second

// Load makes the genre and hourly rows of public.kpi_table equal to rows, in one transaction; rows of other types are
// not touched. Unless opt.Always is set it first compares, and does nothing when they are equal; a row that is there
// twice is a difference. With opt.KeepStale the keys that rows do not have stay, and are no difference. Loaded tells
// whether rows were written. After an error kpi_table is as before, except that a connection lost during the commit
// leaves open which of the two states it is in; loading again is always safe.
//
// For the warehouse alone texts are cut to the bytes of their columns, with a warning; two keys that become equal by
// that are an error, and change nothing.
func (w *Warehouse) Load(ctx context.Context, rows []schema.KPI, opt kpi.LoadOptions) (loaded bool, err error) {
	want, err := fit(rows, w.log)
	if err != nil {
		return false, fmt.Errorf("load public.kpi_table in %s: %w", w.name, err)
	}
	if !opt.Always {
		equal := false
		err := w.with(ctx, func(s session) error {
			have, err := readRecords(ctx, s)
			equal = sameRecords(have, want, opt.KeepStale)
			return err
		})
		if err != nil {
			return false, w.explain(ctx, "compare the new rows with public.kpi_table in", err)
		}
		if equal {
			return false, nil
		}
	}
	err = w.retry(ctx, "load public.kpi_table", w.dialect.conflict, func() error {
		return w.with(ctx, func(s session) error {
			return w.transaction(ctx, s, func() error { return w.replace(ctx, s, want, opt.KeepStale) })
		})
	})
	if err != nil {
		return false, w.explain(ctx, "load public.kpi_table in", err)
	}
	return true, nil
}

// replace is the load, inside its transaction.
func (w *Warehouse) replace(ctx context.Context, s session, want []record, keepStale bool) error {
	if err := w.lock(ctx, s); err != nil {
		return err
	}
	if err := s.exec(ctx, clearStagingSQL); err != nil { // what Glue left there
		return err
	}
	if err := stage(ctx, s, want); err != nil {
		return err
	}
	deletes := []string{deleteAllSQL}
	if keepStale {
		deletes = deleteStagedSQL
	}
	for _, sql := range append(deletes[:len(deletes):len(deletes)], publishSQL) {
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	have, err := readRecords(ctx, s)
	if err != nil {
		return err
	}
	if err := checkKeys(have, want, keepStale); err != nil {
		return err
	}
	return s.exec(ctx, clearStagingSQL)
}

// lock waits for other loads to end.
func (w *Warehouse) lock(ctx context.Context, s session) error {
	if w.dialect.lock == "" {
		return nil
	}
	note := time.AfterFunc(lockPatience, func() {
		w.log.Warn("waiting for another transaction that uses public.kpi_staging", "warehouse", w.name)
	})
	defer note.Stop()
	return s.exec(ctx, w.dialect.lock)
}

// stage fills the empty staging table.
func stage(ctx context.Context, s session, want []record) error {
	for start := 0; start < len(want); start += batchRows {
		batch := want[start:min(start+batchRows, len(want))]
		args := make([]any, 0, 7*len(batch))
		for _, r := range batch {
			args = append(args, r.args()...)
		}
		if err := s.exec(ctx, insertStagingSQL(len(batch)), args...); err != nil {
			return err
		}
	}
	staged := int64(-1)
	err := s.query(ctx, countStagingSQL, func([]string) error { return nil }, func(values []any) error {
		staged, _ = values[0].(int64)
		return nil
	})
	if err != nil {
		return err
	}
	if staged != int64(len(want)) {
		return fmt.Errorf("public.kpi_staging holds %d rows after %d were inserted; nothing was changed", staged, len(want))
	}
	return nil
}

// sameRecords compares as multisets. With keepStale, rows of keys that want does not have count for nothing.
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

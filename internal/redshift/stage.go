package redshift

import (
	"context"
	"fmt"
)

// stage fills the empty staging table, and counts.
func (l *loading) stage(ctx context.Context, s session) error {
	fill := l.insert
	if l.uploaded != "" {
		fill = l.copy
	}
	if err := fill(ctx, s); err != nil {
		return err
	}
	staged := int64(-1)
	err := s.query(ctx, countStagingSQL, func([]string) error { return nil }, func(values []any) error {
		staged, _ = values[0].(int64)
		return nil
	})
	if err != nil {
		return err
	}
	if staged != int64(len(l.want)) {
		return fmt.Errorf("public.kpi_staging holds %d rows after %d were staged; nothing was changed", staged, len(l.want))
	}
	return nil
}

// insert fills staging by INSERT of many rows at a time.
func (l *loading) insert(ctx context.Context, s session) error {
	for start := 0; start < len(l.want); start += batchRows {
		batch := l.want[start:min(start+batchRows, len(l.want))]
		args := make([]any, 0, 7*len(batch))
		for _, r := range batch {
			args = append(args, r.args()...)
		}
		if err := s.exec(ctx, insertStagingSQL(len(batch)), args...); err != nil {
			return err
		}
	}
	return nil
}

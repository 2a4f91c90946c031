package redshift

import (
	"context"
	"time"
)

// Table is the result of a query. A value is nil for NULL, or bool, int64, float64, string, []byte, time.Time (in
// UTC), or json.Number for an exact NUMERIC. Dates and other types of PostgreSQL are strings.
type Table struct {
	Columns []string
	Rows    [][]any
}

// Query runs one statement of the user's and returns its whole result. The transaction is read-only; that guards
// against accidents, not against SQL that sets out to end it.
func (w *Warehouse) Query(ctx context.Context, sql string) (*Table, error) {
	var t Table
	err := w.stream(ctx, sql, func(columns []string) error {
		t.Columns = columns
		return nil
	}, func(values []any) error {
		t.Rows = append(t.Rows, values)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// stream is Query for results of any size: head gets the columns once, row each row as it comes, to keep. Their errors
// end the query, and are returned unchanged.
func (w *Warehouse) stream(ctx context.Context, sql string, head func(columns []string) error, row func(values []any) error) error {
	var callers error
	err := w.with(ctx, func(s session) error {
		for _, begin := range w.dialect.beginRead {
			if err := s.exec(ctx, begin); err != nil {
				return err
			}
		}
		err := s.query(ctx, sql, func(columns []string) error {
			callers = head(columns)
			return callers
		}, func(values []any) error {
			callers = row(values)
			return callers
		})
		// The result is there: ending the transaction must not fail for a context that ends now.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		for _, end := range w.dialect.endRead {
			if failed := s.exec(clean, end); err == nil {
				err = failed
			}
		}
		return err
	})
	switch {
	case callers != nil:
		return callers
	case err != nil:
		return w.explain(ctx, "query in", err)
	}
	return nil
}

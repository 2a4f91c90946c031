package redshift

import (
	"context"
	"time"
)

// session is one connection. It is used by one goroutine at a time, and after an error only to be closed.
type session interface {
	// exec runs one statement.
	exec(ctx context.Context, sql string, args ...any) error
	// query runs one statement and hands over its result: the column names once, then each row. The row is
	// row's to keep. A value is nil, bool, int64, float64, string, []byte, time.Time in UTC or json.Number.
	query(ctx context.Context, sql string, head func(columns []string) error, row func(values []any) error) error
	// ping tells whether the other side is still there.
	ping(ctx context.Context) error
	close()
}

// dialect is what differs between the warehouses, connections apart.
type dialect struct {
	// begin starts a load, and lock, unless empty, makes loads wait for each other. It precedes the first
	// statement that takes a snapshot: a load that waited for another must see what that one did.
	begin, lock string
	// activity is a query for what a session of the server does: the last thing it did, and 1 when it is idle, where it can be told.
	activity func(pid int64) string
	patience patience
	// copies says whether there is a COPY of Parquet from S3.
	copies bool
	// beginRead and endRead enclose a query, which must not change anything.
	beginRead, endRead []string
	// tables names those of our tables that exist.
	tables string
	// conflict says whether an error is a conflict with another transaction: repeating the whole transaction can cure it.
	conflict func(error) bool
	// lost says whether an error ended the connection; repeating the whole transaction can cure that too.
	lost func(error) bool
	// raced says whether a CREATE TABLE failed because another session created the table at the same time.
	raced func(error) bool
	// detail is what an error says beside its message, on one line.
	detail func(error) string
	// remedy is what to do about an error, empty when the error says it all.
	remedy func(error) string
}

// idleLimit is how long a connection is worth keeping: firewalls drop idle ones without a word.
const idleLimit = 30 * time.Second

// with lends a session to do.
func (w *Warehouse) with(ctx context.Context, do func(session) error) error {
	s, err := w.take(ctx)
	if err != nil {
		return err
	}
	if err := do(s); err != nil {
		s.close()
		return err
	}
	w.keep(s)
	return nil
}

func (w *Warehouse) take(ctx context.Context) (session, error) {
	w.mu.Lock()
	s, since := w.idle, w.idleSince
	w.idle = nil
	w.mu.Unlock()
	if s != nil {
		if time.Since(since) < idleLimit && s.ping(ctx) == nil {
			return s, nil
		}
		s.close()
	}
	return w.connect(ctx)
}

func (w *Warehouse) keep(s session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle != nil || w.closed {
		s.close()
		return
	}
	w.idle, w.idleSince = s, time.Now()
}

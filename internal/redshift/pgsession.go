package redshift

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgSession is a connection to PostgreSQL or Redshift. Statements with arguments go by the extended protocol, unnamed
// and as text: Redshift drops named statements at DDL and ROLLBACK, and sends NUMERIC in a binary form of its own.
type pgSession struct{ conn *pgx.Conn }

func (s pgSession) exec(ctx context.Context, sql string, args ...any) error {
	tag, err := s.conn.Exec(ctx, sql, args...)
	if err == nil && sql == "COMMIT" && tag.String() == "ROLLBACK" {
		return errRolledBack
	}
	return err
}

func (s pgSession) query(ctx context.Context, sql string, head func([]string) error, row func([]any) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	rows, err := s.conn.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	defer stop() // before Close, which otherwise reads what the server still sends to its end
	var names []string
	for _, field := range rows.FieldDescriptions() {
		names = append(names, field.Name)
	}
	if len(names) == 0 { // an error, or a statement without a result
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return head(names)
	}
	if err := head(names); err != nil {
		return err
	}
	for rows.Next() {
		values := make([]any, len(names))
		for i, raw := range rows.RawValues() {
			if raw == nil {
				continue
			}
			field := rows.FieldDescriptions()[i]
			if field.Format != pgx.TextFormatCode {
				return errors.New("column " + field.Name + " came in binary form, which was not asked for")
			}
			if values[i], err = fromText(field.DataTypeOID, string(raw)); err != nil {
				return err
			}
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s pgSession) ping(ctx context.Context) error { return s.conn.Ping(ctx) }

func (s pgSession) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.conn.Close(ctx)
}

// hasState tells whether err is the server's, with one of the SQLSTATEs.
func hasState(err error, states ...string) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	for _, state := range states {
		if e.Code == state {
			return true
		}
	}
	return false
}

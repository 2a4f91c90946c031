package redshift

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// busyTimeout is how long a statement waits for another process, in milliseconds, before the transaction is repeated.
const busyTimeout = 10_000

var sqliteDialect = dialect{
	begin:     "BEGIN IMMEDIATE", // the write lock at once: no other load between reading and writing
	beginRead: []string{"PRAGMA query_only = 1", "BEGIN"},
	endRead:   []string{"ROLLBACK", "PRAGMA query_only = 0"},
	tables:    "SELECT name FROM public.sqlite_master WHERE type = 'table' AND name IN ('kpi_table', 'kpi_staging', 'mss_fence')",
	conflict: func(err error) bool {
		code := sqliteCode(err)
		return code == lib.SQLITE_BUSY || code == lib.SQLITE_LOCKED
	},
	lost:   func(error) bool { return false },
	raced:  func(error) bool { return false }, // who creates holds the write lock
	detail: noDetail,
	remedy: func(err error) string {
		switch sqliteCode(err) {
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
			return "another program holds the database file: let it end, or close it"
		case lib.SQLITE_NOTADB:
			return "the file is no SQLite database: name another, or remove it"
		case lib.SQLITE_READONLY:
			return "a query only reads; where it is a load that fails, check the rights on the file and on its folder"
		case lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
			return "check the rights on the file and on its folder"
		case lib.SQLITE_ERROR: // the code says no more
			if strings.Contains(err.Error(), "no such table: public.kpi_table") {
				return "`mss run kpi` creates it"
			}
		}
		return ""
	},
}

func (w *Warehouse) useSQLite(url string, opt Options) error {
	path, err := sqlitePath(url)
	if err != nil {
		return err
	}
	if opt.ReadOnly {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("open the warehouse %s: %w; `mss run kpi` creates it", url, err)
		}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("create the folder of the warehouse %s: %w", url, err)
	}
	w.dialect = sqliteDialect
	w.connect = func(ctx context.Context) (session, error) {
		s, err := openSQLite(ctx, path)
		if err != nil {
			return nil, w.explain(ctx, "open", err)
		}
		return s, nil
	}
	return nil
}

// sqliteSession is one SQLite connection, behind a pool of one because the driver offers nothing else.
type sqliteSession struct {
	db   *sql.DB
	conn *sql.Conn
}

// openSQLite attaches the file as public, so that public.kpi_table means the same as on a server.
func openSQLite(ctx context.Context, path string) (session, error) {
	connector, err := sqlite.NewConnector(fmt.Sprintf(":memory:?_busy_timeout=%d", busyTimeout))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "ATTACH DATABASE ? AS public", path)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return &sqliteSession{db: db, conn: conn}, nil
}

func (s *sqliteSession) exec(ctx context.Context, sql string, args ...any) error {
	_, err := s.conn.ExecContext(ctx, sql, args...)
	return err
}

func (s *sqliteSession) query(ctx context.Context, sql string, head func([]string) error, row func([]any) error) (err error) {
	rows, err := s.conn.QueryContext(ctx, sql)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	if err := head(names); err != nil {
		return err
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			if t, ok := v.(time.Time); ok {
				values[i] = t.UTC()
			}
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *sqliteSession) ping(context.Context) error { return nil }

func (s *sqliteSession) close() {
	_ = s.conn.Close()
	_ = s.db.Close()
}

// sqliteCode is the primary result code, 0 of other errors.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

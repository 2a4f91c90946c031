package rstest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mss/internal/redshift/rstest"
)

// connect speaks to the proxy as a client of PostgreSQL does, but in a mode that Redshift takes.
func connect(t *testing.T, p *rstest.Proxy) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig("postgres" + strings.TrimPrefix(p.URL(), "redshift"))
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.RuntimeParams["client_encoding"] = "UTF8"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, statements ...string) (tag pgconn.CommandTag) {
	t.Helper()
	for _, sql := range statements {
		var err error
		if tag, err = conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return tag
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want SQLSTATE %s", what, err, code)
	}
}

func count(t *testing.T, conn *pgx.Conn, table string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT CAST(COUNT(*) AS INT) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLogin(t *testing.T) {
	conn := connect(t, rstest.New(t, rstest.Options{}))
	for name, want := range map[string]string{"server_version": "8.0.2", "server_encoding": "UNICODE", "client_encoding": "UTF8", "standard_conforming_strings": ""} {
		if got := conn.PgConn().ParameterStatus(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	_, err := conn.Exec(t.Context(), "SET standard_conforming_strings = on")
	wantCode(t, "SET", err, "42704")
}

func TestGrammar(t *testing.T) {
	conn := connect(t, rstest.New(t, rstest.Options{}))
	setup := []string{"CREATE TABLE t (a BIGINT, b VARCHAR(10))", "CREATE TABLE s (a BIGINT, b VARCHAR(10))", "INSERT INTO s VALUES (1, 'x'), (2, 'y')"}
	exec(t, conn, setup...)
	for sql, code := range map[string]string{
		"INSERT INTO t VALUES (1, 'x') ON CONFLICT DO NOTHING": "42601",
		"INSERT INTO t VALUES (1, 'x') RETURNING a":            "42601",
		"SELECT 1 FROM t WHERE a IS DISTINCT FROM 1":           "42601",
		"SELECT 1 FROM t WHERE a is not  distinct\nfrom 1":     "42601",
		"SAVEPOINT x":                                                     "0A000",
		"COPY t FROM STDIN":                                               "42601",
		"DELETE FROM t x WHERE x.a = 1":                                   "42601",
		"DELETE FROM t AS x USING s WHERE x.a = s.a":                      "42601",
		"LOCK TABLE t IN EXCLUSIVE MODE":                                  "42601",
		"SELECT * FROM t FOR UPDATE":                                      "42601",
		"SELECT * FROM (VALUES (1), (2)) v (n)":                           "42601",
		"SELECT E'x'":                                                     "42601",
		"WITH x AS (SELECT * FROM s) INSERT INTO t SELECT * FROM x":       "42601",
		"CREATE TABLE u (a JSONB)":                                        "0A000",
		"CREATE INDEX i ON t (a)":                                         "42601",
		"MERGE INTO t x USING s ON x.a = s.a WHEN MATCHED THEN DELETE":    "42601",
		"MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DO NOTHING":  "42601",
		"INSERT INTO t VALUES (1, '12345678901')":                         "XX000",
		"INSERT INTO t VALUES (1, 'ééééé!')":                              "XX000",
		"COPY t FROM 's3://b/p' FORMAT AS PARQUET":                        "42601",
		"COPY t FROM 's3://b/p' IAM_ROLE 'me' FORMAT AS PARQUET":          "XX000",
		"COPY t FROM 's3://b/p' IAM_ROLE default FORMAT AS PARQUET TRUNC": "0A000",
		"COPY t TO 's3://b/p'":                                            "42601",
	} {
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeDescribeExec} {
			exec(t, conn, "BEGIN", "DELETE FROM t")
			rows, err := conn.Query(t.Context(), sql, mode)
			if err == nil {
				rows.Close()
				err = rows.Err()
			}
			wantCode(t, sql, err, code)
			_, err = conn.Exec(t.Context(), "SELECT 1")
			wantCode(t, "SELECT behind "+sql, err, "25P02")
			exec(t, conn, "ROLLBACK")
		}
		_, err := conn.Exec(t.Context(), sql)
		wantCode(t, sql, err, code)
	}
	for _, sql := range []string{
		"DELETE FROM public.t WHERE a = 1", "DELETE FROM t USING s WHERE t.a = s.a", "DELETE FROM t", "LOCK t", "LOCK TABLE public.t",
		"INSERT INTO t VALUES (1, 'RETURNING'), (2, 'SAVEPOINT')", "INSERT INTO t VALUES (3, 'ééééé')", "BEGIN READ ONLY",
		"SELECT a AS returned FROM t -- RETURNING", "SELECT 'it''s' /* SAVEPOINT */",
		"MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b)",
	} {
		exec(t, conn, "BEGIN", sql, "ROLLBACK")
	}
	var text string
	if err := conn.QueryRow(t.Context(), `SELECT 'a\\b\'c'`).Scan(&text); err != nil || text != `a\b'c` {
		t.Errorf("escapes: %q, %v", text, err)
	}
}

func TestTruncateCommits(t *testing.T) {
	conn := connect(t, rstest.New(t, rstest.Options{}))
	exec(t, conn, "CREATE TABLE t (a BIGINT)", "CREATE TABLE u (a BIGINT)", "INSERT INTO t VALUES (1)", "BEGIN", "INSERT INTO u VALUES (1)", "TRUNCATE t", "ROLLBACK")
	if count(t, conn, "t") != 0 || count(t, conn, "u") != 1 {
		t.Error("what preceded TRUNCATE, or TRUNCATE, was rolled back")
	}
}

func TestTagsHaveNoCount(t *testing.T) {
	conn := connect(t, rstest.New(t, rstest.Options{}))
	exec(t, conn, "CREATE TABLE t (a BIGINT)")
	if tag := exec(t, conn, "INSERT INTO t VALUES (1), (2)"); tag.RowsAffected() != 2 {
		t.Error(tag)
	}
	if tag := exec(t, conn, "SELECT * FROM t"); tag.String() != "SELECT" {
		t.Error(tag)
	}
}

func TestNamedStatementsAreDropped(t *testing.T) {
	conn := connect(t, rstest.New(t, rstest.Options{})).PgConn()
	for _, last := range []string{"ROLLBACK", "CREATE TABLE t (a BIGINT)", "COMMIT"} {
		if _, err := conn.Prepare(t.Context(), "named", "SELECT 1", nil); err != nil {
			t.Fatal(err)
		}
		run := func() error { return conn.ExecPrepared(t.Context(), "named", nil, nil, nil).Read().Err }
		if err := run(); err != nil {
			t.Error(err)
		}
		if _, err := conn.Exec(t.Context(), "BEGIN; SELECT 1").ReadAll(); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), last).ReadAll(); err != nil {
			t.Fatal(err)
		}
		if err := run(); last == "COMMIT" {
			if err != nil {
				t.Error(err)
			}
		} else {
			wantCode(t, "a named statement after "+last, err, "26000")
		}
		if last == "CREATE TABLE t (a BIGINT)" {
			if _, err := conn.Exec(t.Context(), "COMMIT").ReadAll(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSnapshotConflict(t *testing.T) {
	p := rstest.New(t, rstest.Options{})
	a, b := connect(t, p), connect(t, p)
	exec(t, a, "CREATE TABLE t (a BIGINT)", "INSERT INTO t VALUES (1)", "BEGIN", "SELECT * FROM t")
	exec(t, b, "UPDATE t SET a = 2")
	_, err := a.Exec(t.Context(), "UPDATE t SET a = 3")
	wantCode(t, "the second of two updates", err, "XX000")
	if !strings.Contains(err.Error(), "1023") {
		t.Error(err)
	}
}

func TestHook(t *testing.T) {
	p := rstest.New(t, rstest.Options{})
	watch := connect(t, p)
	exec(t, watch, "CREATE TABLE t (a BIGINT)")
	commit := func(action rstest.Action) error {
		t.Helper()
		conn := connect(t, p)
		exec(t, conn, "BEGIN", "INSERT INTO t VALUES (1)")
		p.Hook(func(s rstest.Statement) rstest.Action {
			if s.SQL == "COMMIT" {
				return action
			}
			return rstest.Action{}
		})
		defer p.Hook(nil)
		_, err := conn.Exec(t.Context(), "COMMIT")
		return err
	}
	wantCode(t, "COMMIT", commit(rstest.Action{Fail: rstest.Conflict}), "XX000")
	if err := commit(rstest.Action{Drop: true}); err == nil || count(t, watch, "t") != 0 {
		t.Errorf("dropped ahead of the commit: %v", err)
	}
	if err := commit(rstest.Action{Lose: true}); err == nil || count(t, watch, "t") != 1 {
		t.Errorf("dropped behind the commit: %v", err)
	}
	late := make(chan struct{})
	if err := commit(rstest.Action{Late: late}); err == nil || count(t, watch, "t") != 1 {
		t.Errorf("dropped while the commit is on its way: %v", err)
	}
	close(late)
	exec(t, watch, "BEGIN", "LOCK t", "COMMIT") // waits for that commit
	if n := count(t, watch, "t"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	if seen := p.Seen(); seen[0].SQL != "CREATE TABLE t (a BIGINT)" || seen[0].N != 1 || len(seen) < 10 {
		t.Errorf("seen: %v", seen)
	}
}

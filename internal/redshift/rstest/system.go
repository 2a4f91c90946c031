package rstest

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// systemSchema holds what Redshift has in pg_catalog, where PostgreSQL lets nobody put anything.
const systemSchema = "rstest"

// createSystem makes the view of load errors, of its columns those that have a meaning for Parquet, and the history of statements, of which
// there is the last one of each session that is still there.
const createSystem = `CREATE SCHEMA ` + systemSchema + `; GRANT USAGE ON SCHEMA ` + systemSchema + ` TO PUBLIC;
CREATE TABLE ` + systemSchema + `.sys_load_error_detail (
	user_id integer, query_id bigint GENERATED ALWAYS AS IDENTITY, transaction_id bigint, session_id integer, database_name char(64),
	table_id integer, start_time timestamp DEFAULT now(), file_name char(256), line_number bigint, column_name char(127),
	column_type char(10), column_length char(10), position integer, error_code integer, error_message char(512)
);
GRANT SELECT ON ` + systemSchema + `.sys_load_error_detail TO PUBLIC;
CREATE VIEW ` + systemSchema + `.sys_query_history AS SELECT usesysid AS user_id, CAST(extract(epoch FROM query_start) * 1000000 AS bigint) AS query_id,
	pid AS session_id, CAST(datname AS char(128)) AS database_name, CAST(CASE state WHEN 'active' THEN 'running' ELSE 'success' END AS char(10)) AS status,
	query_start AS start_time FROM pg_stat_activity WHERE query_start IS NOT NULL;
GRANT SELECT ON ` + systemSchema + `.sys_query_history TO PUBLIC`

// loadError is an error of COPY, and what is kept of it.
type loadError struct {
	*pgconn.PgError
	file, column string
	code         int
	message      string
}

func (e *loadError) Unwrap() error { return e.PgError }

// keep notes a load error in the view, outside the transaction that it spoils.
func (s *session) keep(e *loadError) error {
	table := systemSchema + ".sys_load_error_detail"
	err := s.proxy.administer(context.Background(), "INSERT INTO "+table+" (session_id, file_name, column_name, error_code, error_message) VALUES ($1, $2, $3, $4, $5)",
		s.server.PID, e.file, e.column, e.code, e.message)
	if err != nil {
		return errors.New("rstest: keep a load error: " + strings.TrimSpace(err.Error()))
	}
	return nil
}

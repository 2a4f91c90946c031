package redshift

import (
	"fmt"
	"strings"

	"mss/internal/schema"
)

// The user's sample queries. Each has a second key, so that equal counts come in one order; an hour is sorted as the
// number it is, without a cast that a foreign row could break.
const (
	genresSQL = `SELECT
    group_by as genre,
    genre_listen_count,
    genre_popularity_index,
    top_artist
FROM public.kpi_table
WHERE kpi_type = 'genre'
ORDER BY genre_listen_count DESC NULLS LAST, group_by NULLS LAST`

	hoursSQL = `SELECT
    group_by as hour,
    genre_listen_count as unique_listeners,
    genre_avg_duration as diversity_index
FROM public.kpi_table
WHERE kpi_type = 'hourly'
ORDER BY unique_listeners DESC NULLS LAST, LENGTH(group_by) NULLS LAST, group_by`
)

// QueryGenres is the SQL of the genre performance ranking.
func QueryGenres() string { return genresSQL }

// QueryHours is the SQL of the peak listening hours.
func QueryHours() string { return hoursSQL }

// createSQL is the user's DDL, and for mss_fence our own.
func createSQL(table string) string {
	if table == fenceTable {
		return createFenceSQL
	}
	return `CREATE TABLE IF NOT EXISTS public.` + table + ` (
    kpi_type VARCHAR(20),
    group_by VARCHAR(100),
    genre_listen_count BIGINT,
    genre_avg_duration DOUBLE PRECISION,
    genre_popularity_index DOUBLE PRECISION,
    top_track VARCHAR(255),
    top_artist VARCHAR(255)
)`
}

const (
	kpiTable     = "kpi_table"
	stagingTable = "kpi_staging"
	fenceTable   = "mss_fence"

	columns = "kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist"

	// The types that mss owns; rows of others are never read or touched.
	owned = "kpi_type IN ('" + schema.Genre + "', '" + schema.Hourly + "')"

	selectSQL       = "SELECT " + columns + " FROM public.kpi_table WHERE " + owned
	clearStagingSQL = "DELETE FROM public.kpi_staging"
	countStagingSQL = "SELECT COUNT(*) FROM public.kpi_staging"
	publishSQL      = "INSERT INTO public.kpi_table (" + columns + ") SELECT " + columns + " FROM public.kpi_staging"

	// A run computes all keys of its types, so those in staging and those that no longer occur are all there are.
	deleteAllSQL = "DELETE FROM public.kpi_table WHERE " + owned
)

// The fence: one row for each lake that loads into this warehouse. It is read whole, there are few.
const (
	createFenceSQL = `CREATE TABLE IF NOT EXISTS public.mss_fence (
    lake VARCHAR(64),
    token BIGINT,
    run VARCHAR(64),
    loads BIGINT
)`
	selectFenceSQL = "SELECT lake, token, run, loads FROM public.mss_fence"
	deleteFenceSQL = "DELETE FROM public.mss_fence WHERE lake = $1"
	insertFenceSQL = "INSERT INTO public.mss_fence (lake, token, run, loads) VALUES ($1, $2, $3, $4)"
)

// lockHoldersSQL finds the sessions that have a lock on staging. PostgreSQL and Redshift have the same catalog.
const lockHoldersSQL = `SELECT DISTINCT l.pid, l.mode
FROM pg_locks l
JOIN pg_database d ON d.oid = l.database
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.datname = current_database() AND n.nspname = 'public' AND c.relname = 'kpi_staging' AND l.granted
ORDER BY l.pid, l.mode`

// postgresActivitySQL tells when a session last began or ended a statement, and whether it is between two in a transaction.
// The number is in the text, here and below: what Redshift makes of a parameter in such places is not documented.
func postgresActivitySQL(pid int64) string {
	return fmt.Sprintf(`SELECT CAST(state_change AS VARCHAR), CASE WHEN state LIKE 'idle in transaction%%' THEN 1 ELSE 0 END
FROM pg_stat_activity WHERE pid = %d`, pid)
}

// redshiftActivitySQL tells which statement of a session was the last, and whether that has ended.
func redshiftActivitySQL(pid int64) string {
	return fmt.Sprintf(`SELECT CAST(query_id AS VARCHAR), CASE WHEN RTRIM(status) IN ('success', 'failed', 'canceled') THEN 1 ELSE 0 END
FROM sys_query_history WHERE session_id = %d ORDER BY start_time DESC, query_id DESC LIMIT 1`, pid)
}

// endSessionSQL ends a session.
func endSessionSQL(pid int64) string { return fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid) }

// deleteStagedSQL delete the keys that staging holds, and no others. They are three because a correlated subquery with
// OR, as NULL keys would need, is beyond what Redshift is documented to plan.
var deleteStagedSQL = []string{
	deleteNamedSQL(schema.Genre),
	deleteNamedSQL(schema.Hourly),
	"DELETE FROM public.kpi_table WHERE group_by IS NULL AND kpi_type IN (SELECT kpi_type FROM public.kpi_staging WHERE group_by IS NULL)",
}

func deleteNamedSQL(kpiType string) string {
	return "DELETE FROM public.kpi_table WHERE kpi_type = '" + kpiType +
		"' AND group_by IN (SELECT group_by FROM public.kpi_staging WHERE kpi_type = '" + kpiType + "')"
}

// copySQL fills staging from the Parquet objects of a folder on S3. Role is default, or an ARN in quotes.
func copySQL(folder, role string) string {
	return "COPY public.kpi_staging (" + columns + ") FROM " + quote(folder) + " IAM_ROLE " + role + " FORMAT AS PARQUET"
}

// quote is a text in SQL, on Redshift, where a backslash escapes.
func quote(s string) string {
	return "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(s) + "'"
}

// loadErrorSQL finds what went wrong in the last COPY of an object, by serverless Redshift's view. The file is that of one
// run, and so of one load; the view has it with s3:// or https:// before it.
func loadErrorSQL(key string) string {
	return "SELECT file_name, column_name, error_code, error_message FROM sys_load_error_detail WHERE file_name LIKE " +
		quote("%/"+key+"%") + " ORDER BY start_time DESC LIMIT 1"
}

// clusterLoadErrorSQL is loadErrorSQL for provisioned clusters.
func clusterLoadErrorSQL(key string) string {
	return "SELECT filename, colname, err_code, err_reason FROM stl_load_errors WHERE filename LIKE " +
		quote("%/"+key+"%") + " ORDER BY starttime DESC LIMIT 1"
}

// batchRows bounds a multi-row INSERT: 7 columns of 500 rows are far below the 32,767 bind parameters of Redshift and
// the 32,766 of SQLite, and at most 0.4 MB of its 16 MB a statement.
const batchRows = 500

// insertStagingSQL inserts n rows. The numbers are cast because a NULL parameter has no type of its own, and a batch
// of hourly rows has nothing else in its popularity column.
func insertStagingSQL(n int) string {
	var sql strings.Builder
	sql.WriteString("INSERT INTO public.kpi_staging (" + columns + ") VALUES")
	for row := range n {
		p := 7 * row
		if row > 0 {
			sql.WriteByte(',')
		}
		fmt.Fprintf(&sql, " ($%d, $%d, CAST($%d AS BIGINT), CAST($%d AS DOUBLE PRECISION), CAST($%d AS DOUBLE PRECISION), $%d, $%d)",
			p+1, p+2, p+3, p+4, p+5, p+6, p+7)
	}
	return sql.String()
}

package redshift

import "time"

var postgresDialect = dialect{
	begin:     "BEGIN",
	lock:      "LOCK TABLE public.kpi_staging", // nobody reads staging, so nobody but loads waits
	activity:  postgresActivitySQL,
	patience:  patience{silent: 10 * time.Second, still: 30 * time.Second},
	beginRead: []string{"BEGIN READ ONLY"},
	endRead:   []string{"ROLLBACK"},
	tables:    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('kpi_table', 'kpi_staging', 'mss_fence')",
	conflict:  func(err error) bool { return hasState(err, "40001", "40P01") },
	lost:      connectionLost,
	// Of two CREATE TABLE IF NOT EXISTS at once one can fail on a catalog's unique index.
	raced:  func(err error) bool { return hasState(err, "23505", "42P07", "42710", "XX000") },
	detail: noDetail,
	remedy: serverRemedy,
}

func noDetail(error) string { return "" }

var postgresWait = wait{whole: 15 * time.Second, attempt: 10 * time.Second}

func (w *Warehouse) usePostgres(raw string) error {
	u, err := serverURL(raw)
	if err != nil {
		return err
	}
	w.dialect = postgresDialect
	return w.useServer(u, postgresWait)
}

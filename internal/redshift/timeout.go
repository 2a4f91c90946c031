package redshift

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// statementTimeout is how long a statement may take, a wait for a lock included, unless the URL's statement_timeout says otherwise.
// On Redshift the queue of the workload manager counts as well.
const statementTimeout = 15 * time.Minute

// limitStatements sets the timeout of each session. It does so by SET, which Redshift documents, and in milliseconds, which are all
// it knows; what it makes of the parameter at login is not documented.
func limitStatements(config *pgx.ConnConfig) error {
	const name = "statement_timeout"
	limit := strconv.FormatInt(statementTimeout.Milliseconds(), 10)
	if given, ok := config.RuntimeParams[name]; ok {
		if _, err := strconv.ParseUint(given, 10, 31); err != nil {
			return fmt.Errorf("%s %q: want a number of milliseconds, or 0 for none", name, given)
		}
		limit = given
		delete(config.RuntimeParams, name)
	}
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		_, err := conn.Exec(ctx, "SET "+name+" TO "+limit).ReadAll()
		return err
	}
	return nil
}

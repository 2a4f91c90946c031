package redshift

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// redshiftDialect is PostgreSQL's but for its conflicts, and what it tells of sessions. Whether a COMMIT that queues is
// among its statements is not documented, so a session has to be idle for longer.
var redshiftDialect = func() dialect {
	d := postgresDialect
	d.conflict = func(err error) bool { return postgresDialect.conflict(err) || redshiftConflict(err) }
	d.activity = redshiftActivitySQL
	d.patience.still = 5 * time.Minute
	d.copies = true
	d.detail = redshiftDetail
	d.remedy = redshiftRemedy
	return d
}()

// redshiftWait allows for a workgroup that resumes from idle.
var redshiftWait = wait{whole: 5 * time.Minute, attempt: time.Minute}

func (w *Warehouse) useRedshift(raw string) error {
	u, err := serverURL(raw)
	if err != nil {
		return err
	}
	w.dialect = redshiftDialect
	return w.useServer(redshiftDefaults(u), redshiftWait)
}

// redshiftDefaults is the URL as the driver takes it: scheme postgres, with Redshift's port, and with a verified
// certificate. The driver's own defaults are 5432 and, unverified, prefer; those of libpq's environment do not apply.
func redshiftDefaults(u *url.URL) *url.URL {
	server := *u
	server.Scheme = "postgres"
	given := server.Query()
	if !given.Has("sslmode") && !given.Has("ssl") {
		// Added to the text: in it a plus is a plus to the driver, to net/url a space.
		server.RawQuery = strings.TrimPrefix(server.RawQuery+"&sslmode=verify-full", "&")
	}
	if server.Host != "" && server.Port() == "" && !given.Has("port") {
		server.Host = net.JoinHostPort(server.Hostname(), "5439")
	}
	return &server
}

// redshiftConflict says whether an error is a conflict that Redshift reports as an internal error; the text alone tells:
// 1023, a serializable isolation violation, and the refusal under snapshot isolation.
func redshiftConflict(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "XX000" {
		return false
	}
	for _, sign := range []string{"1023", "erializable isolation violation", "conflict with concurrent transaction"} {
		if strings.Contains(e.Message, sign) || strings.Contains(e.Detail, sign) {
			return true
		}
	}
	return false
}

func redshiftRemedy(err error) string {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return "a workgroup is reached from its VPC only: check that the security group lets this machine in on port 5439"
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		text := e.Message + e.Detail
		switch {
		case strings.Contains(text, "not authorized to assume"), strings.Contains(text, "Invalid IAM role"):
			return "attach the role of copy-role to the workgroup's namespace or to the cluster, or set load to insert"
		case strings.Contains(text, "S3ServiceException"):
			return "give the role of copy-role s3:ListBucket and s3:GetObject on the temporary place, in the region of the warehouse, or set load to insert"
		}
	}
	return serverRemedy(err)
}

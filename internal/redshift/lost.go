package redshift

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// connectionLost says whether an error of PostgreSQL or Redshift ended the connection in the middle: the server or the network
// is gone. What the server says before it hangs up is FATAL. A failure to connect does not count: that was tried for long already.
func connectionLost(err error) bool {
	var noConnection explained
	if errors.As(err, &noConnection) {
		return false
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Severity == "FATAL" || strings.HasPrefix(e.Code, "08") || hasState(err, "57P01", "57P02", "57P03")
	}
	var network net.Error
	return pgconn.SafeToRetry(err) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed)
}

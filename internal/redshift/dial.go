package redshift

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// wait says how long connecting is tried.
type wait struct {
	whole   time.Duration // over all attempts
	attempt time.Duration // each
}

// serverConfig reads a URL of the postgres scheme, which need not be the user's own.
func serverConfig(u *url.URL, name string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		// The driver's text starts with the URL, and its error holds it as a field: neither goes on.
		text := err.Error()
		if i := strings.Index(text, "`: "); i >= 0 {
			text = text[i+len("`: "):]
		}
		return nil, fmt.Errorf("%w %s: %s", ErrURL, name, scrub(text, u))
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.RuntimeParams["client_encoding"] = "UTF8"
	// With fewer digits a double does not come back as it went; PostgreSQL 12 and later send the shortest exact ones.
	config.RuntimeParams["extra_float_digits"] = "2"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "mss"
	}
	if err := limitStatements(config); err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrURL, name, err)
	}
	// An interrupted statement must end on the server too, or it keeps its locks.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 5 * time.Second}
	}
	return config, nil
}

// server is where a session goes, and for how long that is tried.
type server struct {
	config *pgx.ConnConfig
	whole  time.Duration
	// rotates says that a password which is refused may be another one soon.
	rotates bool
}

// newServer reads a URL as serverConfig does; its connect_timeout, when it has one, is for all attempts together.
func newServer(u *url.URL, name string, wait wait) (server, error) {
	config, err := serverConfig(u, name)
	if err != nil {
		return server{}, err
	}
	if given := config.ConnectTimeout; given > 0 {
		wait.whole = given
	}
	config.ConnectTimeout = min(wait.attempt, wait.whole)
	dialer := &net.Dialer{Timeout: config.ConnectTimeout, KeepAlive: 30 * time.Second}
	config.DialFunc = dialer.DialContext
	return server{config: config, whole: wait.whole}, nil
}

// useServer sets connect to sessions with one server.
func (w *Warehouse) useServer(u *url.URL, wait wait) error {
	s, err := newServer(u, w.name, wait)
	if err != nil {
		return err
	}
	w.connectTo(func(context.Context) (server, error) { return s, nil })
	return nil
}

// maxRefusals is how often a password that rotates is fetched anew, over 6 seconds: between the change in the
// database and that of the secret lies a test of the login.
const maxRefusals = 6

// connectTo sets connect, which asks for the server before each attempt and tries until its time is over.
func (w *Warehouse) connectTo(find func(context.Context) (server, error)) {
	w.connect = func(ctx context.Context) (session, error) {
		start := time.Now()
		delay := w.firstDelay
		for try := 1; ; try++ {
			to, err := find(ctx)
			if err != nil {
				return nil, err
			}
			conn, err := pgx.ConnectConfig(ctx, to.config)
			if err == nil {
				return pgSession{conn}, nil
			}
			err = attempts(err)
			again := mayPass(err) || to.rotates && try < maxRefusals && refusedLogin(err)
			if ctx.Err() != nil || !again || time.Now().Add(delay).After(start.Add(to.whole)) {
				return nil, w.explain(ctx, "connect to", err)
			}
			if try == 1 {
				trouble := "the warehouse does not answer; trying again"
				if refusedLogin(err) {
					trouble = "the warehouse refuses the login; fetching it anew"
				}
				w.log.Warn(trouble, "warehouse", w.name, "for", to.whole, "error", err)
			}
			if err := pause(ctx, delay); err != nil {
				return nil, w.explain(ctx, "connect to", err)
			}
			delay = min(2*delay, 5*time.Second)
		}
	}
}

func refusedLogin(err error) bool { return hasState(err, "28P01", "28000") }

// attempts is a driver's error without its first wrapping, which holds the whole configuration, password and all, as a
// field. With several addresses or TLS modes the text has a line for each attempt; it becomes one line.
func attempts(err error) error {
	var wrapping *pgconn.ConnectError
	if errors.As(err, &wrapping) {
		err = wrapping.Unwrap()
	}
	return oneLine{err}
}

type oneLine struct{ error }

func (e oneLine) Error() string { return strings.ReplaceAll(e.error.Error(), "\n", "; ") }
func (e oneLine) Unwrap() error { return e.error }

// mayPass tells whether a failure to connect can go away by itself: a server that starts or resumes, a network that
// is not up yet. A refused login, an unknown host or a wrong certificate cannot.
func mayPass(err error) bool {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return hasState(err, "57P03", "53300", "57P01", "57P02")
	}
	var unknown *net.DNSError
	if errors.As(err, &unknown) && unknown.IsNotFound {
		return false
	}
	var wrongCertificate *tls.CertificateVerificationError
	var wrongName x509.HostnameError
	if errors.As(err, &wrongCertificate) || errors.As(err, &wrongName) {
		return false
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() || pgconn.SafeToRetry(err) {
		return true
	}
	for _, passing := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
		syscall.ENOENT, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// endedState is the SQLSTATE of a session that was ended from outside.
const endedState = "57P01"

// serverRemedy is what to do about an error of PostgreSQL or Redshift.
func serverRemedy(err error) string {
	var wrongCertificate *tls.CertificateVerificationError
	var unknown *net.DNSError
	switch {
	case refusedLogin(err):
		return "check the user and the password in the URL, or the environment variable PGPASSWORD"
	case strings.Contains(err.Error(), "unknown authentication type: 13"):
		return "the user has a SHA-256 password, which the driver does not know: give it an MD5 one (ALTER USER … PASSWORD 'md5…'), or log in by IAM with redshift-iam://"
	case hasState(err, "3D000"):
		return "create the database, or name another one in the URL"
	case hasState(err, "42501"):
		return "have an administrator create the tables or grant the right: GRANT CREATE, USAGE ON SCHEMA public; GRANT SELECT, INSERT, UPDATE, DELETE on kpi_table, kpi_staging and mss_fence"
	case hasState(err, "57014") && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return "wait until other transactions on the tables have ended, or give the URL a greater statement_timeout, in milliseconds"
	case hasState(err, endedState):
		return "an administrator ended the session or the server, or another load did, which found this one idle in its transaction; run it again"
	case hasState(err, "42P01"):
		return "`mss run kpi` creates public.kpi_table"
	case hasState(err, "25006"):
		return "a query only reads"
	case errors.As(err, &wrongCertificate):
		return "name the certificate authority with sslrootcert=FILE in the URL"
	case errors.As(err, &unknown):
		return "check the host in the URL"
	}
	return ""
}

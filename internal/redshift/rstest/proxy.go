package rstest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mss/internal/blob"
	"mss/internal/redshift/pgtest"
)

// Options of New.
type Options struct {
	// Buckets are the S3 buckets that COPY may read, by name.
	Buckets map[string]blob.Bucket
}

// Statement is one that a client sends. Hooks see it before it is carried out.
type Statement struct {
	Session int // counts the connections, from 1
	N       int // counts the statements of the session, from 1
	SQL     string
}

// Action is what a hook makes of a statement; the zero Action lets it pass.
type Action struct {
	Fail *pgconn.PgError // the statement fails so, and is not carried out
	Drop bool            // the connection is lost ahead of the statement
	Lose bool            // the connection is lost behind the statement, which is carried out, ahead of its reply
	// Late has a statement that Lose is set for carried out only when Late is closed; the connection is lost at once.
	Late <-chan struct{}
}

// Conflict is Redshift's error of two transactions that got in each other's way.
var Conflict = &pgconn.PgError{Code: "XX000", Message: "1023", Detail: "Serializable isolation violation on table in Redshift"}

// Proxy is a warehouse of a test's own.
type Proxy struct {
	opt      Options
	direct   *url.URL // of the PostgreSQL behind
	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	hook     func(Statement) Action
	seen     []Statement
	sessions int
	open     map[net.Conn]bool
	closed   bool
}

// New starts a warehouse with an empty database. It ends with the test.
func New(t testing.TB, opt Options) *Proxy {
	t.Helper()
	direct, err := url.Parse(pgtest.NewBytes(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{opt: opt, direct: direct, open: make(map[net.Conn]bool)}
	if err := p.administer(t.Context(), createSystem); err != nil {
		t.Fatalf("Redshift for tests: %v", err)
	}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatalf("Redshift for tests: %v", err)
	}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// URL is a redshift:// URL with user and password.
func (p *Proxy) URL() string {
	u := *p.direct
	u.Scheme, u.Host = "redshift", p.listener.Addr().String()
	return u.String()
}

// Direct is the URL of the PostgreSQL behind, for a look past the proxy.
func (p *Proxy) Direct() string { return p.direct.String() }

// Hook asks hook what becomes of each statement from now on. It may be called by several sessions at once, and may take its time.
// A nil hook lets all pass.
func (p *Proxy) Hook(hook func(Statement) Action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hook = hook
}

// Seen are the statements so far, refused ones as well.
func (p *Proxy) Seen() []Statement {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Statement(nil), p.seen...)
}

// ask notes a statement and asks the hook.
func (p *Proxy) ask(s Statement) Action {
	p.mu.Lock()
	p.seen = append(p.seen, s)
	hook := p.hook
	p.mu.Unlock()
	if hook == nil {
		return Action{}
	}
	return hook(s)
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() {
			if p.track(conn) {
				p.serve(conn)
			}
			p.drop(conn)
		})
	}
}

// track keeps a connection to be closed with the proxy; it is false when that is closed already.
func (p *Proxy) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[conn] = true
	return !p.closed
}

func (p *Proxy) drop(conn net.Conn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

func (p *Proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for conn := range p.open {
		conn.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// administer executes statements on the PostgreSQL behind, in sessions of their own.
func (p *Proxy) administer(ctx context.Context, sql string, args ...any) error {
	conn, err := pgx.Connect(ctx, p.direct.String())
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql, args...)
	return errors.Join(err, conn.Close(ctx))
}

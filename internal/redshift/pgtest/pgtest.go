// Package pgtest gives tests a real PostgreSQL: the server that MSS_TEST_POSTGRES names, or one per test process,
// on a loopback port, over a temporary folder. A missing server fails the test; nothing is skipped.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names the URL of a server to use, as a user who may create databases.
const Variable = "MSS_TEST_POSTGRES"

const remedy = "install it with `apt-get install postgresql`, or set " + Variable + " to the URL of a server"

// shared is the server that all tests of this process use.
var shared struct {
	once sync.Once
	url  *url.URL
	err  error
}

// New returns the URL of an empty database, which is dropped when the test ends. The first call starts the server;
// it goes away with the test process, however that ends.
func New(t testing.TB) string {
	t.Helper()
	return create(t, "")
}

// NewBytes is New for a database whose VARCHAR counts bytes, as Redshift's does: it knows no characters, but what a
// client that speaks UTF8 sends is checked to be that.
func NewBytes(t testing.TB) string {
	t.Helper()
	return create(t, " TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
}

func create(t testing.TB, options string) string {
	t.Helper()
	shared.once.Do(func() { shared.url, shared.err = server() })
	if shared.err != nil {
		t.Fatalf("PostgreSQL for tests: %v", shared.err)
	}
	name := "mss_" + strings.ToLower(rand.Text()[:16])
	if err := run("CREATE DATABASE " + name + options); err != nil {
		t.Fatalf("PostgreSQL for tests: create a database: %v", err)
	}
	t.Cleanup(func() {
		// FORCE ends sessions that a failed test has left open.
		if err := run("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("PostgreSQL for tests: drop database %s: %v", name, err)
		}
	})
	fresh := *shared.url
	fresh.Path = "/" + name
	return fresh.String()
}

func server() (*url.URL, error) {
	given := os.Getenv(Variable)
	if given == "" {
		return start()
	}
	u, err := url.Parse(given)
	if err != nil {
		// The text of err repeats the URL, and the password in it.
		return nil, fmt.Errorf("%s is not a valid URL: want postgres://user:password@host:port/database", Variable)
	}
	return u, nil
}

// run executes one statement in the database that is always there.
func run(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, shared.url.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

package redshift

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mss/internal/kpi"
)

// with changes a server's URL.
func with(t *testing.T, s string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

func param(name, value string) func(*url.URL) {
	return func(u *url.URL) {
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
	}
}

// refused wants Open to fail, soon, with each of the words and without the password.
func refused(t *testing.T, url string, soon time.Duration, words ...string) {
	t.Helper()
	log := new(journal)
	start := time.Now()
	w, err := Open(t.Context(), url, Options{Log: log.logger()})
	if err == nil {
		w.Close()
		t.Fatalf("%s was opened", MaskURL(url))
	}
	if took := time.Since(start); took > soon {
		t.Errorf("it took %s: %v", took, err)
	}
	for _, word := range append(words, MaskURL(url)) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no %q in: %v", word, err)
		}
	}
	for _, text := range []string{err.Error(), log.String()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a password in: %s", text)
		}
	}
	var config *pgconn.ConnectError
	if errors.As(err, &config) || strings.Contains(err.Error(), "\n") {
		t.Errorf("the configuration, or several lines, in: %v", err)
	}
	if errors.Is(err, ErrURL) {
		t.Errorf("a URL that is right gives ErrURL: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	onServers(t, func(t *testing.T, server string) {
		soon := 5 * time.Second
		user, _ := url.Parse(server)
		refused(t, with(t, server, func(u *url.URL) { u.User = url.UserPassword(user.User.Username(), "hunter2") }), soon, "28P01", "PGPASSWORD")
		refused(t, with(t, server, func(u *url.URL) { u.User = url.UserPassword("nobody", "hunter2") }), soon, "28P01")
		refused(t, with(t, server, func(u *url.URL) { u.Path = "/hunter" }), soon, "3D000", "hunter")
		refused(t, with(t, server, func(u *url.URL) { u.Host = "no-such-host.invalid" }), soon, "no-such-host.invalid", "check the host")
		// A server without TLS must not be spoken to in plain text.
		refused(t, with(t, server, param("sslmode", "verify-full")), soon, "TLS")
		if strings.HasPrefix(server, "redshift") {
			refused(t, with(t, server, func(u *url.URL) { u.RawQuery = "" }), soon, "TLS")
		}

		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		l.Close()
		nobodyThere := with(t, server, func(u *url.URL) {
			u.Host, u.User = addr, url.UserPassword("u", "hunter2")
			param("connect_timeout", "1")(u)
		})
		refused(t, nobodyThere, soon, "connection refused")
		refused(t, with(t, nobodyThere, param("sslmode", "prefer")), soon, "connection refused")
	})
}

// TestUnanswered has a listener that takes connections and says nothing.
func TestUnanswered(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, scheme := range []string{"postgres", "redshift"} {
		refused(t, scheme+"://u:hunter2@"+l.Addr().String()+"/db?connect_timeout=1&sslmode=disable", 5*time.Second, "timeout")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, "redshift://u:hunter2@"+l.Addr().String()+"/db", Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that ends: %v", err)
	}
}

// TestSHA256Password has a server that asks for a digest as Redshift does of users with a SHA-256 password.
func TestSHA256Password(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := conn.Read(make([]byte, 1024)); err == nil {
				conn.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 13})
			}
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	refused(t, "redshift://u:hunter2@"+l.Addr().String()+"/db?sslmode=disable", 5*time.Second, "SHA-256", "redshift-iam://")
}

// TestConnectWaits opens a warehouse whose server comes up a little later.
func TestConnectWaits(t *testing.T) {
	onServers(t, func(t *testing.T, server string) {
		u, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		front := l.Addr().String()
		l.Close()
		go func() {
			time.Sleep(300 * time.Millisecond)
			l, err := net.Listen("tcp", front)
			if err != nil {
				return
			}
			t.Cleanup(func() { l.Close() })
			for {
				in, err := l.Accept()
				if err != nil {
					return
				}
				out, err := net.Dial("tcp", u.Host)
				if err != nil {
					in.Close()
					return
				}
				go func() { io.Copy(out, in); out.Close() }()
				go func() { io.Copy(in, out); in.Close() }()
			}
		}()
		log := new(journal)
		w, err := Open(t.Context(), with(t, server, func(u *url.URL) { u.Host = front }), Options{Log: log.logger()})
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		if !strings.Contains(log.String(), "does not answer") {
			t.Errorf("logged %q", log)
		}
	})
}

// TestLostIdleConnection has the server end the session between two uses, as it does in the hours of a long job.
func TestLostIdleConnection(t *testing.T) {
	onServers(t, func(t *testing.T, url string) {
		w, killer := open(t, url), open(t, url)
		load(t, w, before(), kpi.LoadOptions{}, true)
		do(t, killer, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		load(t, w, after(), kpi.LoadOptions{}, true)
		wantRows(t, w, after())
	})
}

func TestOpenReadOnly(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
			if _, err := Open(t.Context(), url, Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "mss run kpi") {
				t.Errorf("a file that is not there: %v", err)
			}
			if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the folder was made: %v", err)
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Open(t.Context(), url, Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := r.Query(t.Context(), QueryGenres()); err == nil || !strings.Contains(err.Error(), "mss run kpi") {
			t.Errorf("a table that is not there: %v", err)
		}
		load(t, open(t, url), before(), kpi.LoadOptions{}, true)
		wantRows(t, r, before())
	})
}

// TestRights opens as users who may do no more than they need.
func TestRights(t *testing.T) {
	onServers(t, func(t *testing.T, server string) {
		admin := open(t, server)
		name := "u" + strings.ToLower(filepath.Base(server[:strings.Index(server, "?")]))
		do(t, admin, "DROP TABLE public.kpi_table, public.kpi_staging",
			"CREATE ROLE "+name+" LOGIN PASSWORD 'hunter2'")
		t.Cleanup(func() {
			err := admin.with(context.Background(), func(s session) error {
				_ = s.exec(context.Background(), "DROP OWNED BY "+name)
				return s.exec(context.Background(), "DROP ROLE "+name)
			})
			if err != nil {
				t.Error(err)
			}
		})
		as := with(t, server, func(u *url.URL) { u.User = url.UserPassword(name, "hunter2") })
		refused(t, as, 5*time.Second, "42501", "GRANT")
		open(t, server) // makes the tables again
		do(t, admin, "GRANT SELECT ON public.kpi_table TO "+name)
		r, err := Open(t.Context(), as, Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := r.Query(t.Context(), QueryHours()); err != nil {
			t.Error(err)
		}
		do(t, admin, "GRANT SELECT, INSERT, UPDATE, DELETE ON public.kpi_table, public.kpi_staging TO "+name)
		load(t, open(t, as), before(), kpi.LoadOptions{}, true)
		wantRows(t, admin, before())
	})
}

func TestNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database\n", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:"+path, time.Second, "no SQLite database")
	refused(t, "sqlite:"+t.TempDir(), time.Second, "check the rights")
	if _, err := Open(t.Context(), "sqlite:"+path+"/warehouse.db", Options{}); err == nil || !strings.Contains(err.Error(), "create the folder") {
		t.Errorf("a file for a folder: %v", err)
	}
}

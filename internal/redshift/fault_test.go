package redshift

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"mss/internal/kpi"
)

var errFault = errors.New("fault of the test")

// failEach loads again and again with a fault ahead of statement 1, 2, … until a load meets none. After each fault the
// rows are the old ones, whole.
func failEach(t *testing.T, url string, opt kpi.LoadOptions, fault func(t *testing.T, cancel func(), s session) error) {
	check := open(t, url)
	load(t, check, before(), kpi.LoadOptions{Always: true}, true)
	for n := 1; ; n++ {
		if n > 30 {
			t.Fatal("a load of more than 30 statements")
		}
		w := open(t, url)
		ctx, cancel := context.WithCancel(t.Context())
		at, committing := 0, false
		tap(w, func(_ context.Context, s session, sql string) error {
			if at++; at == n && sql != "ROLLBACK" {
				committing = sql == "COMMIT"
				return fault(t, cancel, s)
			}
			return nil
		})
		loaded, err := w.Load(ctx, after(), opt)
		cancel()
		w.Close()
		if err == nil {
			// A commit is not given up for an interruption.
			if !loaded || at >= n && !committing || n < 8 {
				t.Fatalf("loaded %t without an error, though statement %d of %d had a fault", loaded, n, at)
			}
			break
		}
		if loaded {
			t.Errorf("fault ahead of statement %d: loaded, and error %v", n, err)
		}
		wantRows(t, check, before())
	}
	// The faults have left nothing that is in the way of a load.
	load(t, check, before(), kpi.LoadOptions{Always: true}, true)
	wantRows(t, check, before())
}

func TestLoadFailsWhole(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		for _, opt := range []kpi.LoadOptions{{}, {KeepStale: true}} {
			failEach(t, url, opt, func(*testing.T, func(), session) error { return errFault })
		}
	})
}

func TestLoadCancelledWhole(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		failEach(t, url, kpi.LoadOptions{}, func(_ *testing.T, cancel func(), _ session) error {
			cancel()
			return nil
		})
	})
}

func TestLoadErrorNamesItsCause(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		tap(w, func(_ context.Context, _ session, sql string) error {
			if sql == publishSQL {
				return errFault
			}
			return nil
		})
		_, err := w.Load(t.Context(), after(), kpi.LoadOptions{})
		if !errors.Is(err, errFault) || !strings.Contains(err.Error(), "load public.kpi_table in "+MaskURL(url)) {
			t.Errorf("a fault: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err = open(t, url).Load(ctx, after(), kpi.LoadOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled context: %v", err)
		}
	})
}

// TestLoadBrokenConnection has the server end the session ahead of each statement of a load: it is repeated, whole.
func TestLoadBrokenConnection(t *testing.T) {
	onServers(t, func(t *testing.T, url string) {
		check := open(t, url)
		for n := 1; ; n++ {
			load(t, check, before(), kpi.LoadOptions{Always: true}, true)
			w, at := open(t, url), 0
			tap(w, func(ctx context.Context, s session, _ string) error {
				if at++; at != n {
					return nil
				}
				var pid string
				err := s.query(ctx, "SELECT CAST(pg_backend_pid() AS text)", func([]string) error { return nil },
					func(values []any) error { pid = values[0].(string); return nil })
				if err == nil {
					do(t, check, "SELECT pg_terminate_backend("+pid+")")
				}
				return err
			})
			load(t, w, after(), kpi.LoadOptions{}, true)
			wantRows(t, check, after())
			w.Close()
			if at < n {
				return
			}
		}
	})
}

// TestLoadKilled kills the process ahead of each statement of a load.
func TestLoadKilled(t *testing.T) {
	if url := os.Getenv("MSS_TEST_VICTIM"); url != "" {
		w := open(t, url)
		tap(w, func(_ context.Context, _ session, sql string) error {
			if sql == os.Getenv("MSS_TEST_VICTIM_AT") {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
			return nil
		})
		load(t, w, after(), kpi.LoadOptions{}, true)
		return
	}
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, before(), kpi.LoadOptions{}, true)
		for _, sql := range []string{deleteAllSQL, publishSQL, "COMMIT"} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestLoadKilled$")
			cmd.Env = append(os.Environ(), "MSS_TEST_VICTIM="+url, "MSS_TEST_VICTIM_AT="+sql)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the victim was not killed ahead of %s: %v\n%s", sql, err, out)
			}
			wantRows(t, w, before())
		}
		load(t, w, after(), kpi.LoadOptions{}, true)
		wantRows(t, w, after())
	})
}

// TestLoadRepeatsConflict lets another program change a row between the snapshot of a load and its delete.
func TestLoadRepeatsConflict(t *testing.T) {
	onServers(t, func(t *testing.T, url string) {
		other := open(t, url)
		load(t, other, before(), kpi.LoadOptions{}, true)
		w := open(t, url)
		conflicts := 0
		tap(w, func(ctx context.Context, s session, sql string) error {
			switch sql {
			case "BEGIN":
				return s.exec(ctx, "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")
			case deleteAllSQL:
				if conflicts++; conflicts <= 2 {
					do(t, other, "UPDATE public.kpi_table SET genre_listen_count = genre_listen_count + 1")
				}
			}
			return nil
		})
		load(t, w, after(), kpi.LoadOptions{}, true)
		if conflicts != 3 {
			t.Errorf("%d tries, want 3", conflicts)
		}
		wantRows(t, other, after())
	})
}

func TestConflicts(t *testing.T) {
	pg := func(code, message, detail string) error {
		return &pgconn.PgError{Code: code, Message: message, Detail: detail}
	}
	for _, c := range []struct {
		err                error
		postgres, redshift bool
	}{
		{pg("40001", "could not serialize access", ""), true, true},
		{pg("40P01", "deadlock detected", ""), true, true},
		{pg("XX000", "1023", "Serializable isolation violation on table in Redshift"), false, true},
		{pg("XX000", "could not complete because of conflict with concurrent transaction", ""), false, true},
		{pg("XX000", "Value too long for character type", "code: 8001"), false, false},
		{pg("42601", "syntax error at or near 1023", ""), false, false},
		{errFault, false, false},
	} {
		if got := postgresDialect.conflict(c.err); got != c.postgres {
			t.Errorf("postgres: %v: %t", c.err, got)
		}
		if got := redshiftDialect.conflict(c.err); got != c.redshift {
			t.Errorf("redshift: %v: %t", c.err, got)
		}
	}
}

func TestRetryEnds(t *testing.T) {
	w := &Warehouse{log: new(journal).logger(), firstDelay: 1}
	tries := 0
	err := w.retry(t.Context(), "test", func(error) bool { return true }, func() error { tries++; return errFault })
	if !errors.Is(err, errFault) || tries != maxTries {
		t.Errorf("%d tries, %v", tries, err)
	}
	tries = 0
	err = w.retry(t.Context(), "test", func(error) bool { return false }, func() error { tries++; return errFault })
	if !errors.Is(err, errFault) || tries != 1 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

package redshift

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mss/internal/kpi"
	"mss/internal/redshift/pgtest"
)

// impatient opens a warehouse that soon takes another load for dead.
func impatient(t *testing.T, url string) (*Warehouse, *journal) {
	w, j := open(t, url), new(journal)
	w.log = j.logger()
	w.patience = patience{silent: 20 * time.Millisecond, still: 100 * time.Millisecond}
	return w, j
}

// TestStoppedLoad has a load stand still at each of its statements, as when its program is stopped: the next run's load ends
// its session, and when it goes on it finds itself fenced off.
func TestStoppedLoad(t *testing.T) {
	onServers(t, func(t *testing.T, url string) {
		reader := open(t, url)
		for n, last := 1, false; !last; n++ {
			do(t, reader, "DELETE FROM public.mss_fence")
			load(t, reader, before(), always(fenced(1, "a")), true)
			stopped, at := open(t, url), -1
			still, wake := make(chan struct{}), make(chan struct{})
			tap(stopped, func(_ context.Context, _ session, sql string) error {
				if at >= 0 {
					at++ // the lock is held
				} else if sql == stopped.dialect.lock {
					at = 0
				}
				if at == n {
					last = sql == "COMMIT"
					close(still)
					<-wake
				}
				return nil
			})
			done := make(chan error, 1)
			go func() {
				_, err := stopped.Load(t.Context(), after(), fenced(2, "b"))
				done <- err
			}()
			<-still
			w, j := impatient(t, url)
			want := append(before(), genre("folk", 1))
			load(t, w, want, fenced(3, "c"), true)
			if !strings.Contains(j.String(), "it was ended") {
				t.Errorf("at statement %d: nothing was ended: %s", n, j)
			}
			close(wake)
			if err := <-done; !errors.Is(err, kpi.ErrFenced) {
				t.Errorf("at statement %d: the load that stood still: %v", n, err)
			}
			wantRows(t, reader, want)
			if t.Failed() || n > 30 {
				t.FailNow()
			}
		}
	})
}

// TestSlowLoad holds the lock for a while, by one session after the other: none of them stands still. A rehearsal ends nobody.
func TestSlowLoad(t *testing.T) {
	onServers(t, func(t *testing.T, url string) {
		w, j := impatient(t, url)
		w.patience.still = 300 * time.Millisecond
		hold := func(d time.Duration) {
			holder := open(t, url)
			err := holder.with(t.Context(), func(s session) error {
				return holder.transaction(t.Context(), s, func() error {
					err := s.exec(t.Context(), holder.dialect.lock)
					time.Sleep(d)
					return err
				})
			})
			if err != nil {
				t.Error(err)
			}
		}
		var holders sync.WaitGroup
		for range 4 {
			holders.Go(func() { hold(150 * time.Millisecond) })
		}
		load(t, w, before(), always(kpi.LoadOptions{}), true)
		holders.Wait()

		holders.Go(func() { hold(time.Second) })
		time.Sleep(100 * time.Millisecond)
		if err := w.Rehearse(t.Context()); err != nil {
			t.Error(err)
		}
		holders.Wait()
		if log := j.String(); strings.Contains(log, "it was ended") || !strings.Contains(log, "waiting for another transaction") || !strings.Contains(log, "sessions=[") {
			t.Error(log)
		}
	})
}

// TestLockedByAnother has the lock held by a session of another user, who is mightier: the load says what to do, and waits on.
func TestLockedByAnother(t *testing.T) {
	server := pgtest.New(t)
	admin := open(t, server)
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	user := "loader_" + strings.TrimPrefix(u.Path, "/")
	do(t, admin, "CREATE ROLE "+user+" LOGIN PASSWORD 'x'",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON public.kpi_table, public.kpi_staging, public.mss_fence TO "+user)
	u.User = url.UserPassword(user, "x")
	w, j := impatient(t, u.String())
	held, done := make(chan struct{}), make(chan error)
	go func() {
		done <- admin.with(t.Context(), func(s session) error {
			return admin.transaction(t.Context(), s, func() error {
				err := s.exec(t.Context(), admin.dialect.lock)
				close(held)
				for end := time.Now().Add(time.Minute); err == nil && !strings.Contains(j.String(), "cannot be ended from here"); {
					if time.Sleep(10 * time.Millisecond); time.Now().After(end) {
						err = errors.New("no word within a minute")
					}
				}
				return err
			})
		})
	}()
	<-held
	load(t, w, before(), kpi.LoadOptions{}, true)
	if err := <-done; err != nil {
		t.Error(err, j)
	}
	if !strings.Contains(j.String(), "pg_terminate_backend") {
		t.Error(j)
	}
}

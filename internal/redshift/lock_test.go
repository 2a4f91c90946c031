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

// TestSlowLoad has others hold the lock that are at work: nobody is ended. Nor is anybody by a rehearsal.
func TestSlowLoad(t *testing.T) {
	onServers(t, func(t *testing.T, url string) {
		w, j := impatient(t, url)
		hold := func(during func(s session) error) {
			holder := open(t, url)
			err := holder.with(t.Context(), func(s session) error {
				return holder.transaction(t.Context(), s, func() error {
					if err := s.exec(t.Context(), holder.dialect.lock); err != nil {
						return err
					}
					return during(s)
				})
			})
			if err != nil {
				t.Error(err)
			}
		}
		stand := func(session) error { time.Sleep(700 * time.Millisecond); return nil }
		var holders sync.WaitGroup
		holders.Go(func() { // in one long statement
			hold(func(s session) error { return s.exec(t.Context(), "SELECT pg_sleep(0.7)") })
		})
		time.Sleep(100 * time.Millisecond)
		load(t, w, before(), always(kpi.LoadOptions{}), true)
		holders.Wait()
		holders.Go(func() { // in many short ones
			hold(func(s session) error {
				for range 35 {
					if err := s.exec(t.Context(), "SELECT 1"); err != nil {
						return err
					}
					time.Sleep(20 * time.Millisecond)
				}
				return nil
			})
		})
		time.Sleep(100 * time.Millisecond)
		load(t, w, before(), always(kpi.LoadOptions{}), true)
		holders.Wait()
		holders.Go(func() { // a reader of the table, who does nothing, is not of ours
			reader := open(t, url)
			err := reader.with(t.Context(), func(s session) error {
				return reader.transaction(t.Context(), s, func() error { return errors.Join(s.exec(t.Context(), countStagingSQL), stand(s)) })
			})
			if err != nil {
				t.Error(err)
			}
		})
		time.Sleep(100 * time.Millisecond)
		load(t, w, before(), always(kpi.LoadOptions{}), true)
		holders.Wait()
		holders.Go(func() { hold(stand) })
		time.Sleep(100 * time.Millisecond)
		if err := w.Rehearse(t.Context()); err != nil {
			t.Error(err)
		}
		holders.Wait()
		log := j.String()
		for _, part := range []string{"waiting for another transaction", "(AccessExclusiveLock, working)", "(AccessExclusiveLock, idle)", "(AccessShareLock, idle)"} {
			if !strings.Contains(log, part) {
				t.Errorf("no word of %q in %s", part, log)
			}
		}
		if strings.Contains(log, "it was ended") {
			t.Error(log)
		}
	})
}

// TestLockedByAnother has the lock held by a session of another user: nobody tells what it does, and the load waits on.
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
				time.Sleep(500 * time.Millisecond)
				return err
			})
		})
	}()
	<-held
	load(t, w, before(), kpi.LoadOptions{}, true)
	if err := <-done; err != nil {
		t.Error(err, j)
	}
	if log := j.String(); !strings.Contains(log, "(AccessExclusiveLock, working)") || strings.Contains(log, "ended") {
		t.Error(log)
	}
}

package redshift

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"mss/internal/kpi"
	"mss/internal/redshift/rstest"
)

// survivor is a Redshift in which loads are disturbed, and a reader that goes past all that.
type survivor struct {
	*rstest.Proxy
	reader *Warehouse
}

func onSurvivors(t *testing.T, test func(t *testing.T, s survivor)) {
	t.Run("insert", func(t *testing.T) {
		p := rstest.New(t, rstest.Options{})
		open(t, p.URL())
		test(t, survivor{p, open(t, p.Direct())})
	})
	t.Run("copy", func(t *testing.T) {
		p, _ := newCopying(t)
		open(t, p.URL())
		test(t, survivor{p, open(t, p.Direct())})
	})
}

// reset makes the rows those of before(), loaded by a run with token 1.
func (s survivor) reset(t *testing.T) {
	t.Helper()
	s.Hook(nil)
	do(t, s.reader, "DELETE FROM public.mss_fence")
	load(t, s.reader, before(), always(fenced(1, "a")), true)
}

// disturb lets the nth statement of the next load meet action. Ahead of each the rows are old or new.
func (s survivor) disturb(t *testing.T, n int64, action rstest.Action) (seen *atomic.Int64) {
	old, fresh := images(t, before()), images(t, after())
	seen = new(atomic.Int64)
	s.Hook(func(st rstest.Statement) rstest.Action {
		rows, err := s.reader.Rows(context.Background())
		if err != nil {
			t.Error(err)
			return rstest.Action{}
		}
		if got := images(t, rows); !slices.Equal(got, old) && !slices.Equal(got, fresh) {
			t.Errorf("ahead of %s a reader sees %v", st.SQL, got)
		}
		if seen.Add(1) == n {
			return action
		}
		return rstest.Action{}
	})
	return seen
}

// publishes counts how often rows were brought into kpi_table since the mark.
func (s survivor) publishes(mark int) (n int) {
	for _, st := range s.Seen()[mark:] {
		if st.SQL == publishSQL {
			n++
		}
	}
	return n
}

// TestLoadSurvives disturbs each statement of a load in each way: it takes place all the same, and once.
func TestLoadSurvives(t *testing.T) {
	onSurvivors(t, func(t *testing.T, s survivor) {
		for what, action := range map[string]rstest.Action{
			"the connection is lost ahead of the statement": {Drop: true},
			"the connection is lost ahead of the reply":     {Lose: true},
			"a conflict": {Fail: rstest.Conflict},
		} {
			for _, opt := range []kpi.LoadOptions{fenced(2, "b"), raising(fenced(2, "b")), {}} {
				for n := int64(1); ; n++ {
					s.reset(t)
					w := open(t, s.URL())
					seen := s.disturb(t, n, action)
					load(t, w, after(), opt, true)
					s.Hook(nil)
					w.Close()
					wantRows(t, s.reader, after())
					if opt.Fence.Lake != "" {
						wantFence(t, s.reader, "lake", fence{2, "b", 2}) // once
					}
					if t.Failed() {
						t.Fatalf("%s, at statement %d, %+v", what, n, opt)
					}
					if seen.Load() < n {
						if n < 10 {
							t.Errorf("only %d statements", n-1)
						}
						break
					}
				}
			}
		}
	})
}

// TestCommitWithoutReply loses the connection at the commit, which takes place, or not, or only later.
func TestCommitWithoutReply(t *testing.T) {
	onSurvivors(t, func(t *testing.T, s survivor) {
		for _, opt := range []kpi.LoadOptions{fenced(2, "b"), {}, always(fenced(2, "b")), {KeepStale: true, Always: true}} {
			want := after()
			if opt.KeepStale {
				want = append(want, genre("pop", 20), hour("0", 5))
			}
			for what, c := range map[string]struct {
				action    rstest.Action
				publishes int
			}{
				"took place":         {rstest.Action{Lose: true}, 1},
				"did not take place": {rstest.Action{Drop: true}, 2},
			} {
				s.reset(t)
				w, mark := open(t, s.URL()), len(s.Seen())
				s.Hook(func(st rstest.Statement) rstest.Action {
					if st.SQL == "COMMIT" {
						s.Hook(nil)
						return c.action
					}
					return rstest.Action{}
				})
				load(t, w, after(), opt, true)
				wantRows(t, s.reader, want)
				if n := s.publishes(mark); n != c.publishes {
					t.Errorf("the commit %s, %+v: rows were published %d times, want %d", what, opt, n, c.publishes)
				}
			}
			// The commit is on its way while the next try waits for the lock.
			s.reset(t)
			w, mark, late := open(t, s.URL()), len(s.Seen()), make(chan struct{})
			s.Hook(func(st rstest.Statement) rstest.Action {
				if st.SQL == "COMMIT" {
					s.Hook(func(st rstest.Statement) rstest.Action {
						if st.SQL == postgresDialect.lock {
							s.Hook(nil)
							close(late)
						}
						return rstest.Action{}
					})
					return rstest.Action{Late: late}
				}
				return rstest.Action{}
			})
			load(t, w, after(), opt, true)
			wantRows(t, s.reader, want)
			if n := s.publishes(mark); n != 1 {
				t.Errorf("a late commit, %+v: rows were published %d times", opt, n)
			}
		}
	})
}

// TestCommitWithoutReplyThenFenced has a newer run load between a commit whose reply is lost, and the next try.
func TestCommitWithoutReplyThenFenced(t *testing.T) {
	onSurvivors(t, func(t *testing.T, s survivor) {
		s.reset(t)
		w := open(t, s.URL())
		s.Hook(func(st rstest.Statement) rstest.Action {
			if st.SQL != "COMMIT" {
				return rstest.Action{}
			}
			s.Hook(func(rstest.Statement) rstest.Action {
				s.Hook(nil)
				load(t, s.reader, before(), fenced(3, "c"), true)
				return rstest.Action{}
			})
			return rstest.Action{Lose: true}
		})
		wantFenced(t, w, after(), fenced(2, "b"))
		wantRows(t, s.reader, before())
		wantFence(t, s.reader, "lake", fence{3, "c", 3})
	})
}

// TestCommitWithoutReplyAndWithoutServer has the server gone from the commit on: the error says what is not known.
func TestCommitWithoutReplyAndWithoutServer(t *testing.T) {
	onSurvivors(t, func(t *testing.T, s survivor) {
		s.reset(t)
		short := with(t, s.URL(), param("connect_timeout", "1"))
		if by, ok := copying.Load(s.URL()); ok {
			copying.Store(short, by)
		}
		w := open(t, short)
		s.Hook(func(st rstest.Statement) rstest.Action {
			if st.SQL != "COMMIT" {
				return rstest.Action{}
			}
			s.Hook(func(rstest.Statement) rstest.Action { return rstest.Action{Drop: true} })
			return rstest.Action{Lose: true}
		})
		loaded, err := w.Load(t.Context(), after(), fenced(2, "b"))
		if loaded || err == nil || !strings.Contains(err.Error(), "whether that took place could not be found out") {
			t.Errorf("loaded %t, %v", loaded, err)
		}
		s.Hook(nil)
		wantRows(t, s.reader, after())
		load(t, w, after(), fenced(3, "c"), false)
	})
}

// TestCommitInterrupted ends the context when the commit is on its way: its outcome is waited for.
func TestCommitInterrupted(t *testing.T) {
	onSurvivors(t, func(t *testing.T, s survivor) {
		s.reset(t)
		w := open(t, s.URL())
		ctx, cancel := context.WithCancel(t.Context())
		s.Hook(func(st rstest.Statement) rstest.Action {
			if st.SQL == "COMMIT" {
				cancel()
			}
			return rstest.Action{}
		})
		loaded, err := w.Load(ctx, after(), fenced(2, "b"))
		if !loaded || err != nil {
			t.Errorf("loaded %t, %v", loaded, err)
		}
		s.Hook(nil)
		wantRows(t, s.reader, after())
		if _, err := w.Load(ctx, before(), fenced(2, "b")); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestOpenSurvives disturbs each statement that creates the tables.
func TestOpenSurvives(t *testing.T) {
	p := rstest.New(t, rstest.Options{})
	direct := open(t, p.Direct())
	for _, action := range []rstest.Action{{Drop: true}, {Lose: true}} {
		for n := 1; ; n++ {
			do(t, direct, "DROP TABLE public.kpi_table, public.kpi_staging, public.mss_fence")
			at := 0
			p.Hook(func(rstest.Statement) rstest.Action {
				if at++; at == n {
					return action
				}
				return rstest.Action{}
			})
			w := open(t, p.URL())
			p.Hook(nil)
			load(t, w, before(), fenced(1, "a"), true)
			wantRows(t, w, before())
			w.Close()
			if at < n {
				break
			}
		}
	}
}

func TestStatementTimeout(t *testing.T) {
	onServers(t, func(t *testing.T, server string) {
		for given, want := range map[string]string{"": "15min", "250": "250ms", "0": "0"} {
			u := server
			if given != "" {
				u = with(t, server, param("statement_timeout", given))
			}
			table, err := open(t, u).Query(t.Context(), "SELECT current_setting('statement_timeout')")
			if err != nil || table.Rows[0][0] != want {
				t.Errorf("%q: %v, %v", given, table, err)
			}
		}
		holder := open(t, server)
		w := open(t, with(t, server, param("statement_timeout", "250")))
		err := holder.with(t.Context(), func(s session) error {
			return holder.transaction(t.Context(), s, func() error {
				if err := s.exec(t.Context(), holder.dialect.lock); err != nil {
					return err
				}
				_, err := w.Load(t.Context(), before(), kpi.LoadOptions{})
				if err == nil || !strings.Contains(err.Error(), "57014") || !strings.Contains(err.Error(), "statement_timeout") {
					t.Errorf("a lock that is not to be had: %v", err)
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		load(t, w, before(), kpi.LoadOptions{}, true)
		if _, err := Open(t.Context(), with(t, server, param("statement_timeout", "15min")), Options{}); !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), "milliseconds") {
			t.Errorf("a timeout in minutes: %v", err)
		}
	})
}

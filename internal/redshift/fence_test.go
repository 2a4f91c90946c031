package redshift

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mss/internal/kpi"
	"mss/internal/schema"
)

func fenced(token int64, run string) kpi.LoadOptions {
	return kpi.LoadOptions{Fence: kpi.Fence{Lake: "lake", Token: token, Run: run}}
}

func always(opt kpi.LoadOptions) kpi.LoadOptions {
	opt.Always = true
	return opt
}

func raising(opt kpi.LoadOptions) kpi.LoadOptions {
	opt.Fence.Raise = true
	return opt
}

func wantFenced(t *testing.T, w *Warehouse, rows []schema.KPI, opt kpi.LoadOptions) {
	t.Helper()
	loaded, err := w.Load(t.Context(), rows, opt)
	if loaded || !errors.Is(err, kpi.ErrFenced) {
		t.Errorf("a load of token %d: loaded %t, error %v; want kpi.ErrFenced", opt.Fence.Token, loaded, err)
	}
}

func wantFence(t *testing.T, w *Warehouse, lake string, want fence) {
	t.Helper()
	var got fence
	err := w.with(t.Context(), func(s session) (err error) {
		got, err = readFence(t.Context(), s, lake)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("the fence of %s is %+v, want %+v", lake, got, want)
	}
}

func TestFence(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w, log := open(t, url), new(journal)
		w.log = log.logger()
		load(t, w, before(), kpi.LoadOptions{}, true)
		wantFence(t, w, "lake", fence{})
		load(t, w, before(), fenced(1, "a"), false)
		wantFence(t, w, "lake", fence{}) // nothing differs: nothing is written
		load(t, w, after(), fenced(2, "b"), true)
		wantFence(t, w, "lake", fence{2, "b", 1})
		load(t, w, before(), fenced(2, "b"), true)
		load(t, w, after(), always(fenced(4, "d")), true)
		wantFence(t, w, "lake", fence{4, "d", 3})

		wantFenced(t, w, before(), fenced(3, "c"))
		wantFenced(t, w, before(), always(fenced(3, "c")))
		wantFenced(t, w, after(), fenced(3, "c")) // a run that has nothing to do must know as well
		_, err := w.Load(t.Context(), before(), fenced(3, "c"))
		if !strings.Contains(err.Error(), "run d has token 4, this run has 3") || !strings.Contains(err.Error(), MaskURL(url)) {
			t.Error(err)
		}
		wantRows(t, w, after())
		wantFence(t, w, "lake", fence{4, "d", 3})

		// Another lake has tokens of its own.
		const warning = "other lakes have loaded it"
		if strings.Contains(log.String(), warning) {
			t.Errorf("there is one lake, and a warning: %s", log)
		}
		other := fenced(1, "x")
		other.Fence.Lake = "it's another"
		load(t, w, before(), other, true)
		if !strings.Contains(log.String(), warning) || !strings.Contains(log.String(), "others=[lake]") {
			t.Errorf("no warning that lake has loaded the table: %s", log)
		}
		wantFence(t, w, "it's another", fence{1, "x", 1})
		wantFence(t, w, "lake", fence{4, "d", 3})
		wantRows(t, w, before())
		if n := count(t, w, "public.mss_fence"); n != 2 {
			t.Errorf("the fence has %d rows", n)
		}
	})
}

func TestFenceRaised(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, before(), fenced(1, "a"), true)
		load(t, w, before(), raising(fenced(3, "c")), false)
		wantFence(t, w, "lake", fence{3, "c", 2})
		load(t, w, before(), raising(fenced(3, "c")), false)
		wantFence(t, w, "lake", fence{3, "c", 2})
		wantFenced(t, w, after(), fenced(2, "b"))
		wantRows(t, w, before())

		// An older run gets in after the comparison and ahead of the lock.
		newer, once := open(t, url), true
		tap(newer, func(_ context.Context, _ session, sql string) error {
			if sql == newer.dialect.begin && once {
				once = false
				load(t, w, after(), fenced(4, "d"), true)
			}
			return nil
		})
		load(t, newer, before(), raising(fenced(5, "e")), true)
		wantRows(t, w, before())
		wantFence(t, w, "lake", fence{5, "e", 4})
	})
}

func TestFenceNamesHaveRoom(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		name := strings.Repeat("é", fenceWidth/2)
		opt := kpi.LoadOptions{Fence: kpi.Fence{Lake: name, Token: 1, Run: name}}
		load(t, w, before(), opt, true)
		wantFence(t, w, name, fence{1, name, 1})
		opt.Fence.Run += "x"
		if _, err := w.Load(t.Context(), after(), opt); err == nil || !strings.Contains(err.Error(), "name of the run") {
			t.Error(err)
		}
		wantRows(t, w, before())
	})
}

// TestFenceInterleaved lets another run load ahead of each statement of a load, until a load is through before that.
// Whichever of the two is in the middle of the other, the rows of the newer one are there in the end.
func TestFenceInterleaved(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		check := open(t, url)
		for _, paused := range []int64{1, 2} {
			for n := 1; ; n++ {
				if n > 30 {
					t.Fatal("a load of more than 30 statements")
				}
				do(t, check, "DELETE FROM public.mss_fence")
				load(t, check, []schema.KPI{hour("3", 3)}, kpi.LoadOptions{Always: true}, true)
				at, fencedAtLock, err, other := interleave(t, url, paused, n)
				if paused == 1 && fencedAtLock != errors.Is(err, kpi.ErrFenced) || paused == 2 && err != nil || err != nil && !errors.Is(err, kpi.ErrFenced) {
					t.Errorf("token %d, paused ahead of statement %d: %v", paused, n, err)
				}
				if at < n {
					break
				}
				// Ahead of the lock the other was through first.
				if wantOther := paused == 2 && !fencedAtLock; wantOther != errors.Is(other, kpi.ErrFenced) || other != nil && !wantOther {
					t.Errorf("token %d, while %d was paused ahead of statement %d: %v", 3-paused, paused, n, other)
				}
				wantRows(t, check, after())
				wantFence(t, check, "lake", fence{2, "run 2", map[bool]int64{true: 2, false: 1}[err == nil && other == nil]})
			}
		}
	})
}

// interleave loads under a token, and under the other token (1 or 2) ahead of statement n of that. The rows of token 2 are
// after(). It returns how many statements there were, and whether the other was through before the first took the lock.
func interleave(t *testing.T, url string, token int64, n int) (at int, through bool, err, other error) {
	results := map[int64][]schema.KPI{1: before(), 2: after()}
	name := map[int64]string{1: "run 1", 2: "run 2"}
	w, rival := open(t, url), open(t, url)
	defer w.Close()
	defer rival.Close()
	locking := w.dialect.lock
	if locking == "" {
		locking = w.dialect.begin
	}
	locked, done := false, make(chan error, 1)
	tap(w, func(_ context.Context, _ session, sql string) error {
		if at++; at == n {
			go func() {
				_, err := rival.Load(t.Context(), results[3-token], fenced(3-token, name[3-token]))
				done <- err
			}()
			if !locked { // later it waits for w
				through = true
				done <- <-done
			}
		}
		locked = locked || sql == locking
		return nil
	})
	_, err = w.Load(t.Context(), results[token], fenced(token, name[token]))
	if at >= n {
		other = <-done
	}
	return at, through, err, other
}

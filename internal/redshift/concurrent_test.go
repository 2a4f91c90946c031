package redshift

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"mss/internal/kpi"
)

func TestOpenConcurrently(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				w, err := Open(t.Context(), url, Options{Log: new(journal).logger()})
				if err != nil {
					t.Error(err)
					return
				}
				w.Close()
			})
		}
		all.Wait()
		wantRows(t, open(t, url), nil)
	})
}

// TestLoadConcurrently has programs load different results at once: one of them is there in the end, whole.
func TestLoadConcurrently(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		check := open(t, url)
		for range 5 {
			var all sync.WaitGroup
			for _, rows := range [][]byte{{0}, {1}, {0}, {1}} {
				w := open(t, url)
				all.Go(func() {
					result := before()
					if rows[0] == 1 {
						result = after()
					}
					if _, err := w.Load(t.Context(), result, kpi.LoadOptions{Always: true}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			rows, err := check.Rows(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := images(t, rows); !slices.Equal(got, images(t, before())) && !slices.Equal(got, images(t, after())) {
				t.Errorf("two loads made a third result: %v", got)
			}
		}
	})
}

// TestLoadOneWarehouseConcurrently shares the Warehouse itself.
func TestLoadOneWarehouseConcurrently(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := w.Load(t.Context(), before(), kpi.LoadOptions{Always: true}); err != nil {
					t.Error(err)
				}
				if _, err := w.Query(t.Context(), QueryGenres()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		wantRows(t, w, before())
	})
}

// TestReadersSeeWhole polls while loads come and go: each read is one result or the other.
func TestReadersSeeWhole(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, before(), kpi.LoadOptions{}, true)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		old, new := images(t, before()), images(t, after())
		var readers sync.WaitGroup
		var mu sync.Mutex
		seen := make(map[bool]int)
		for range 2 {
			r := open(t, url)
			readers.Go(func() {
				for ctx.Err() == nil {
					rows, err := r.Rows(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					got := images(t, rows)
					isOld := slices.Equal(got, old)
					if !isOld && !slices.Equal(got, new) {
						t.Errorf("a reader saw %v", got)
						return
					}
					mu.Lock()
					seen[isOld]++
					mu.Unlock()
				}
			})
		}
		for i := range 40 {
			rows := after()
			if i%2 == 1 {
				rows = before()
			}
			load(t, w, rows, kpi.LoadOptions{}, true)
			time.Sleep(2 * time.Millisecond)
		}
		stop()
		readers.Wait()
		if seen[true] == 0 || seen[false] == 0 {
			t.Errorf("the readers saw the old result %d times, the new one %d times: they have shown nothing", seen[true], seen[false])
		}
	})
}

// TestReadersDoNotWait reads kpi_table in the middle of a load.
func TestReadersDoNotWait(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		reader := open(t, url)
		load(t, reader, before(), kpi.LoadOptions{}, true)
		w := open(t, url)
		reads := 0
		tap(w, func(ctx context.Context, _ session, sql string) error {
			if sql != publishSQL && sql != "COMMIT" {
				return nil
			}
			ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			rows, err := reader.Rows(ctx)
			if err == nil && !slices.Equal(images(t, rows), images(t, before())) {
				t.Errorf("ahead of %s a reader saw %v", sql, rows)
			}
			reads++
			return err
		})
		load(t, w, after(), kpi.LoadOptions{}, true)
		if reads != 2 {
			t.Errorf("%d reads", reads)
		}
	})
}

// TestLoadWaitsForWriter holds the write lock of the file for a while.
func TestLoadWaitsForWriter(t *testing.T) {
	url := targets[0].url(t)
	holder, w := open(t, url), open(t, url)
	for _, busy := range []string{"PRAGMA busy_timeout = 5000", "PRAGMA busy_timeout = 0"} { // SQLite waits; mss repeats
		holding, done := make(chan struct{}), make(chan error, 1)
		go func() {
			done <- holder.with(t.Context(), func(s session) error {
				return holder.transaction(t.Context(), s, func() error {
					close(holding)
					time.Sleep(150 * time.Millisecond)
					return nil
				})
			})
		}()
		<-holding
		do(t, w, busy)
		load(t, w, before(), kpi.LoadOptions{Always: true}, true)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

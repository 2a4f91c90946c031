package redshift

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// patience is how long a load waits for another one.
type patience struct {
	silent time.Duration // before it says so
	still  time.Duration // from then on, before a session that holds the lock is taken for dead
}

// lockPatience ends a session that has held the lock for 30 s, where a load takes a few: its program was stopped, or
// its network is gone. One that was only slow repeats its load, as after any lost connection.
var lockPatience = patience{silent: 10 * time.Second, still: 30 * time.Second}

// lock waits for other loads to end. With evict it ends those that stand still: Redshift would keep the transaction of a
// program that does not go on for up to 6 hours.
func (w *Warehouse) lock(ctx context.Context, s session, evict bool) error {
	if w.dialect.lock == "" {
		return nil
	}
	watched, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { w.watchLock(watched, evict) })
	err := s.exec(ctx, w.dialect.lock)
	stop()
	watch.Wait()
	return err
}

// watchLock looks who holds the lock, until ctx ends.
func (w *Warehouse) watchLock(ctx context.Context, evict bool) {
	if pause(ctx, w.patience.silent) != nil {
		return
	}
	before, err := w.holders(ctx)
	if ctx.Err() == nil {
		w.log.Warn("waiting for another transaction that uses public.kpi_staging", "warehouse", w.name, "sessions", before)
	}
	for evict && err == nil && pause(ctx, w.patience.still) == nil {
		before, err = w.evictStill(ctx, before)
	}
	if err != nil && ctx.Err() == nil {
		w.log.Warn("who holds public.kpi_staging cannot be ended from here; end the session as its user or as an administrator: SELECT pg_terminate_backend(SESSION)",
			"warehouse", w.name, "sessions", before, "error", err)
	}
}

// evictStill ends the sessions that hold the lock now as before, and returns all that hold it.
func (w *Warehouse) evictStill(ctx context.Context, before []int64) (now []int64, err error) {
	if now, err = w.holders(ctx); err != nil {
		return before, err
	}
	for _, pid := range now {
		if ctx.Err() == nil && slices.Contains(before, pid) {
			if err := w.evict(ctx, pid); err != nil {
				return now, err
			}
		}
	}
	return now, nil
}

// holders are the sessions that hold what lock waits for. Only mss takes that lock of that table.
func (w *Warehouse) holders(ctx context.Context) (pids []int64, err error) {
	err = w.with(ctx, func(s session) error {
		return s.query(ctx, lockHoldersSQL, func([]string) error { return nil }, func(values []any) error {
			pid, ok := values[0].(int64)
			if !ok {
				return fmt.Errorf("pg_locks has the session %v", values[0])
			}
			pids = append(pids, pid)
			return nil
		})
	})
	return pids, err
}

// evict ends a session: its transaction is rolled back. A user may do so with sessions of his own.
func (w *Warehouse) evict(ctx context.Context, pid int64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second) // the lock may be ours before the reply comes
	defer cancel()
	err := w.with(ctx, func(s session) error { return s.exec(ctx, endSessionSQL(pid)) })
	if err == nil {
		w.log.Warn("a session held public.kpi_staging without going on: it was ended, and what it had not committed is undone", "warehouse", w.name, "session", pid)
	}
	return err
}

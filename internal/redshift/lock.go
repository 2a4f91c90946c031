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
	still  time.Duration // from then on, before a session that does nothing is taken for dead
}

// lock waits for other loads to end. With evict it ends those that stand still in their transaction, because their program
// was stopped, or their network is gone: Redshift would keep the transaction for up to 6 hours.
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

// watchLock looks who is in the way, until ctx ends.
func (w *Warehouse) watchLock(ctx context.Context, evict bool) {
	if pause(ctx, w.patience.silent) != nil {
		return
	}
	before, err := w.blockers(ctx)
	if ctx.Err() != nil {
		return
	}
	said := []any{"warehouse", w.name, "sessions", before}
	if err != nil {
		said = append(said, "error", err)
	}
	w.log.Warn("waiting for another transaction that uses public.kpi_staging", said...)
	for evict && pause(ctx, w.patience.still) == nil {
		now, err := w.blockers(ctx)
		if err != nil {
			continue // perhaps the next time
		}
		for _, b := range now {
			if !b.idle || b.mode != exclusive || !slices.Contains(before, b) || ctx.Err() != nil {
				continue
			}
			if err := w.evict(ctx, b.pid); err != nil {
				w.log.Warn("a session holds public.kpi_staging, does nothing, and cannot be ended from here; end it as an administrator: SELECT pg_terminate_backend(SESSION)",
					"warehouse", w.name, "session", b.pid, "error", err)
				return
			}
		}
		before = now
	}
}

// blocker is a session that has a lock on staging. Two looks give an equal one when it did nothing between them.
type blocker struct {
	pid  int64
	mode string
	idle bool   // in its transaction; false when nobody tells
	last string // what it did last
}

func (b blocker) String() string {
	doing := "working" // as far as it can be told
	if b.idle {
		doing = "idle"
	}
	return fmt.Sprintf("%d (%s, %s)", b.pid, b.mode, doing)
}

// exclusive is the mode of a load's lock, which on this table nobody else has a reason to take.
const exclusive = "AccessExclusiveLock"

// blockers are the sessions that the lock is waiting for.
func (w *Warehouse) blockers(ctx context.Context) (all []blocker, err error) {
	err = w.with(ctx, func(s session) error {
		all = nil
		err := s.query(ctx, lockHoldersSQL, func([]string) error { return nil }, func(values []any) error {
			pid, ok := values[0].(int64)
			mode, known := values[1].(string)
			if !ok || !known {
				return fmt.Errorf("pg_locks has the row %v", values)
			}
			all = append(all, blocker{pid: pid, mode: mode})
			return nil
		})
		for i := range all {
			if err == nil {
				err = s.query(ctx, w.dialect.activity(all[i].pid), func([]string) error { return nil }, func(values []any) error {
					all[i].last, _ = values[0].(string)
					idle, _ := values[1].(int64)
					all[i].idle = idle == 1
					return nil
				})
			}
		}
		return err
	})
	return all, err
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

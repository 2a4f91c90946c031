package redshift

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"mss/internal/kpi"
	"mss/internal/schema"
)

// Load makes the genre and hourly rows of public.kpi_table equal to rows, in one transaction; rows of other types are
// not touched. Unless opt.Always is set it first compares, and does nothing when they are equal; a row that is there
// twice is a difference. With opt.KeepStale the keys that rows do not have stay, and are no difference. Loaded tells
// whether rows were written.
//
// Conflicts and lost connections are cured by repeating the whole transaction; of one that was lost during the commit it is
// found out first whether that took place. After an error kpi_table is as before, unless the error says that this
// could not be found out; loading again is always safe.
//
// A later run of opt.Fence's lake that has loaded makes the error wrap kpi.ErrFenced: nothing was changed.
//
// For the warehouse alone texts are cut to the bytes of their columns, with a warning; two keys that become equal by
// that are an error, and change nothing.
func (w *Warehouse) Load(ctx context.Context, rows []schema.KPI, opt kpi.LoadOptions) (loaded bool, err error) {
	want, err := fit(rows, w.log)
	if err == nil {
		err = checkFence(opt.Fence)
	}
	if err != nil {
		return false, fmt.Errorf("load public.kpi_table in %s: %w", w.name, err)
	}
	l := &loading{w: w, want: want, opt: opt}
	defer l.tidy(ctx)
	if !opt.Always {
		done := false
		err := w.retry(ctx, "compare the new rows with public.kpi_table", w.again, func() error {
			return w.with(ctx, func(s session) (err error) {
				done, err = l.nothingToDo(ctx, s)
				return err
			})
		})
		if err != nil {
			return false, w.explain(ctx, "compare the new rows with public.kpi_table in", err)
		}
		if done {
			return false, nil
		}
	}
	if err := l.upload(ctx); err != nil {
		return false, fmt.Errorf("load public.kpi_table in %s: %w", w.name, err)
	}
	err = w.retry(ctx, "load public.kpi_table", w.again, func() error {
		return w.with(ctx, func(s session) error {
			err := w.transaction(ctx, s, func() (err error) {
				loaded, err = l.inside(ctx, s)
				return err
			})
			if w.unsure(err) {
				l.unsure = true
			}
			l.ended = l.ended || hasState(err, endedState)
			return l.inWords(ctx, s, err)
		})
	})
	if err != nil {
		if l.unsure {
			err = fmt.Errorf("the connection was lost during the commit, and whether that took place could not be found out: run it again, which is safe: %w", err)
		}
		return false, w.explain(ctx, "load public.kpi_table in", err)
	}
	if loaded && len(l.others) > 0 {
		w.log.Warn("public.kpi_table holds the KPIs of one lake, and other lakes have loaded it: the last one wins; give each a warehouse of its own, "+
			"or delete from public.mss_fence the rows of lakes that are gone", "warehouse", w.name, "lake", l.opt.Fence.Lake, "others", l.others)
	}
	return loaded, nil
}

// loading is a load, over all its tries.
type loading struct {
	w    *Warehouse
	want []record
	opt  kpi.LoadOptions
	// unsure says that an earlier try may have been committed, which would have left the fence ours, and have loaded rows or not.
	unsure bool
	// ended says that the session of an earlier try was ended by somebody: from then on this load ends nobody, lest two of them take turns.
	ended  bool
	ours   fence
	loaded bool
	// others are the lakes that have loaded the same table.
	others []string
	// uploaded is the key of the object that COPY reads, "" where rows are inserted.
	uploaded string
}

// nothingToDo compares, before a load waits for others.
func (l *loading) nothingToDo(ctx context.Context, s session) (bool, error) {
	equal, err := l.equal(ctx, s)
	if err != nil || !equal || l.opt.Fence.Lake == "" {
		return equal, err
	}
	have, err := readFence(ctx, s, l.opt.Fence.Lake)
	if err == nil {
		err = have.admit(l.opt.Fence)
	}
	return !l.opt.Fence.Raise || have.token == l.opt.Fence.Token, err
}

func (l *loading) equal(ctx context.Context, s session) (bool, error) {
	have, err := readRecords(ctx, s)
	return err == nil && sameRecords(have, l.want, l.opt.KeepStale), err
}

// inside is what a load does in its transaction. It tells whether rows were written, by it or by an earlier try.
func (l *loading) inside(ctx context.Context, s session) (loaded bool, err error) {
	if err := l.w.lock(ctx, s, !l.ended); err != nil {
		return false, err
	}
	if l.unsure { // not before the lock: what the lost connection was about to do has ended by then
		done, err := l.committed(ctx, s)
		if err != nil || done {
			return l.loaded, err
		}
		l.unsure = false
	}
	l.loaded, err = l.change(ctx, s)
	return l.loaded, err
}

// committed tells whether an earlier try was: by the fence, and without one by the rows.
func (l *loading) committed(ctx context.Context, s session) (bool, error) {
	if l.opt.Fence.Lake == "" {
		return l.equal(ctx, s)
	}
	have, err := readFence(ctx, s, l.opt.Fence.Lake)
	return err == nil && have == l.ours, err
}

// change raises the fence and replaces the rows.
func (l *loading) change(ctx context.Context, s session) (loaded bool, err error) {
	if l.opt.Fence.Lake != "" {
		if err := l.raise(ctx, s); err != nil {
			return false, err
		}
	}
	if l.opt.Fence.Raise && !l.opt.Always {
		// Whether the rows are equal may be why we are here, and only now nobody changes them.
		if equal, err := l.equal(ctx, s); err != nil || equal {
			return false, err
		}
	}
	return true, l.replace(ctx, s)
}

// raise puts our token up, unless a greater one is there.
func (l *loading) raise(ctx context.Context, s session) error {
	all, err := readFences(ctx, s)
	have := all[l.opt.Fence.Lake]
	if err == nil {
		err = have.admit(l.opt.Fence)
	}
	if err != nil {
		return err
	}
	delete(all, l.opt.Fence.Lake)
	l.others = slices.Sorted(maps.Keys(all))
	l.ours = fence{l.opt.Fence.Token, l.opt.Fence.Run, have.loads + 1}
	return writeFence(ctx, s, l.opt.Fence.Lake, l.ours)
}

// replace fills staging and publishes it.
func (l *loading) replace(ctx context.Context, s session) error {
	if err := s.exec(ctx, clearStagingSQL); err != nil { // what Glue left there
		return err
	}
	if err := l.stage(ctx, s); err != nil {
		return err
	}
	deletes := []string{deleteAllSQL}
	if l.opt.KeepStale {
		deletes = deleteStagedSQL
	}
	for _, sql := range append(deletes[:len(deletes):len(deletes)], publishSQL) {
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	have, err := readRecords(ctx, s)
	if err != nil {
		return err
	}
	if err := checkKeys(have, l.want, l.opt.KeepStale); err != nil {
		return err
	}
	return s.exec(ctx, clearStagingSQL)
}

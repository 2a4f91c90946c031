package kpi

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/kpi/state"
	"mss/internal/lake"
	"mss/internal/schema"
)

// result is what a run computes.
type result struct {
	rows   []schema.KPI
	counts counts
	kept   int           // objects whose states were taken over
	fresh  []blob.Object // those that were read
	index  *index        // to be committed; nil when it would be as it is
}

// counts are rows. They must add up.
type counts struct {
	Rows    int64 `json:"rows"`    // all of them
	Plays   int64 `json:"plays"`   // those with is_primary
	Counted int64 `json:"counted"` // those that are to be counted in the hours
	Hourly  int64 `json:"hourly"`  // those that were
}

func countsOf(t *state.Total, r state.Result) counts {
	return counts{Rows: t.NumRows(), Plays: t.Plays(), Counted: t.Counted(), Hourly: r.Hourly}
}

// work is one computation: from the states of objects where there are such, from the objects otherwise.
type work struct {
	job     *Job
	data    lake.Dataset
	snap    *lake.Snapshot // nil: there are no states
	objects []blob.Object  // those of snap, or all there are
	store   *store         // nil without snap
	write   bool           // new states are written

	keys   *state.Keys
	totals []*state.Total // each of a few workers

	buffers buffers
}

// errAgain says that states which looked well are of no use: everything is computed anew.
var errAgain = errors.New("states cannot be used")

// run computes the KPIs. With full it uses no state.
func (w *work) run(ctx context.Context, full bool) (*result, error) {
	if w.snap == nil {
		w.begin(state.NewKeys())
		if err := w.fold(ctx, w.objects, nil); err != nil {
			return nil, err
		}
		t := w.merged()
		r := t.Result()
		return &result{rows: r.Rows, counts: countsOf(t, r), fresh: w.objects}, nil
	}
	if full {
		return w.update(ctx, &plan{fresh: w.objects})
	}
	p := w.plan()
	if p.rows != nil {
		return &result{rows: p.rows, counts: w.store.index.Counts, kept: len(p.kept)}, nil
	}
	r, err := w.update(ctx, p)
	if errors.Is(err, errAgain) {
		w.job.Run.Log.Warn("the states of the KPIs are made anew, all data objects are read", "reason", err)
		return w.update(ctx, &plan{fresh: w.objects})
	}
	return r, err
}

// workersPerTotal is how many workers share a total. It is locked for a tenth of the time that a row group takes.
const workersPerTotal = 4

func (w *work) threads() int { return max(1, w.job.Run.Threads) }

// begin makes empty totals.
func (w *work) begin(keys *state.Keys) {
	w.keys, w.totals = keys, nil
	for range (w.threads() + workersPerTotal - 1) / workersPerTotal {
		w.totals = append(w.totals, state.NewTotal(keys, w.job.Run.Semantics))
	}
}

func (w *work) merged() *state.Total {
	for _, t := range w.totals[1:] {
		w.totals[0].Merge(t)
	}
	return w.totals[0]
}

func sizeOf(objects []blob.Object) (size int64) {
	for _, o := range objects {
		size += o.Size
	}
	return size
}

// update merges what is taken over with what is folded anew, writes the new states, and makes the index of them all.
func (w *work) update(ctx context.Context, p *plan) (*result, error) {
	x := &index{Semantics: w.job.Run.Semantics}
	keys := state.NewKeys()
	if len(p.kept) > 0 {
		var err error
		if keys, err = w.readKeys(ctx); err != nil {
			return nil, err
		}
		x.Keys, x.Sizes = w.store.index.Keys, w.store.index.Sizes
	}
	w.begin(keys)
	if err := w.takeOver(ctx, p); err != nil {
		return nil, err
	}
	fresh, err := w.foldFresh(ctx, p.fresh)
	if err != nil {
		return nil, err
	}
	t := w.merged()
	group, gctx := errgroup.WithContext(ctx)
	if w.write {
		group.Go(func() error { return w.writeTotal(gctx, t, x) })
	}
	res := t.Result()
	if err := group.Wait(); err != nil {
		return nil, err
	}
	x.Share = shareOf(res, keys.Sizes())
	if len(p.kept) > 0 {
		if wasteful(x.Share, w.store.index.Share, keys.Sizes()) {
			return nil, fmt.Errorf("%w: most of their keys are of objects that are gone", errAgain)
		}
		x.Share = w.store.index.Share
	}
	r := &result{rows: res.Rows, counts: countsOf(t, res), kept: len(p.kept), fresh: p.fresh}
	if w.write {
		x.Counts, x.Objects = r.counts, byKey(p.kept, fresh)
		x.setRows(r.rows)
		r.index = x
	}
	return r, nil
}

// wasteful says whether the keys that occur have become half as great a share of all as they were when all was made anew. They never are
// all: a dictionary may have values that its row group has not.
func wasteful(now, anew share, keys state.Sizes) bool {
	const some = 10000
	return keys.Users > some && now.Users < anew.Users/2 || keys.Tracks > some && now.Tracks < anew.Tracks/2
}

// fold folds data objects into the totals.
func (w *work) fold(ctx context.Context, objects []blob.Object, done func(context.Context, blob.Object, []byte) error) error {
	w.job.Run.Progress.Start(name, sizeOf(objects))
	return w.foldObjects(ctx, objects, done)
}

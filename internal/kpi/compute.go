package kpi

import (
	"context"
	"errors"
	"fmt"

	"mss/internal/blob"
	"mss/internal/kpi/state"
	"mss/internal/lake"
	"mss/internal/schema"
)

// result is what a run computes.
type result struct {
	rows   []schema.KPI
	counts counts
	taken  []objectState // states that were taken over
	fresh  []blob.Object // those that were read

	// To be committed; nil when it is to stay as it is. Its files are still being written, and those of fresh objects not in it yet.
	index  *index
	writer *writer
}

// wait waits until the files are written, and completes the index.
func (r *result) wait() error {
	if r.index == nil {
		return nil
	}
	fresh, err := r.writer.wait()
	r.index.Objects = byKey(r.taken, fresh)
	return err
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
		return &result{rows: p.rows, counts: w.store.index.Counts, taken: p.kept}, nil
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

// update merges what is taken over with what is folded anew, has the new states written, and makes the index of them all.
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
	r := &result{fresh: p.fresh}
	var done func(context.Context, blob.Object, []byte) error
	if w.write {
		r.writer = newWriter(ctx, w.store, &w.buffers)
		done = func(_ context.Context, obj blob.Object, data []byte) error {
			return r.writer.object(w.entry(obj.Key), data)
		}
	}
	err := w.fold(ctx, p.fresh, done)
	if err == nil {
		err = w.finish(r, p, x)
	}
	if err != nil && w.write {
		_, werr := r.writer.wait()
		if werr != nil && errors.Is(err, context.Canceled) {
			err = werr // which ended the folding
		}
	}
	return r, err
}

// finish computes the rows, and has the total written.
func (w *work) finish(r *result, p *plan, x *index) error {
	t := w.merged()
	if w.write {
		r.writer.total(t, w.keys, x)
	}
	res := t.Result()
	x.Share = shareOf(res, w.keys.Sizes())
	if len(p.kept) > 0 {
		if wasteful(x.Share, w.store.index.Share, w.keys.Sizes()) {
			return fmt.Errorf("%w: most of their keys are of objects that are gone", errAgain)
		}
		x.Share = w.store.index.Share
	}
	r.rows, r.counts, r.taken = res.Rows, countsOf(t, res), p.kept
	if w.write {
		x.Counts = r.counts
		x.setRows(r.rows)
		r.index = x
	}
	return nil
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

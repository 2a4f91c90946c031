package kpi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"mss/internal/kpi/state"
)

// transfers is how many files are read or written at a time: on S3 each is a round trip.
const transfers = 16

// readKeys reads the keys that the states of the index refer to.
func (w *work) readKeys(ctx context.Context) (*state.Keys, error) {
	x := w.store.index
	data := make([][]byte, len(x.Keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for i, f := range x.Keys {
		group.Go(func() (err error) {
			data[i], err = w.store.read(ctx, f)
			return err
		})
	}
	keys := state.NewKeys()
	err := group.Wait()
	for i := 0; i < len(data) && err == nil; i++ {
		err = keys.Decode(data[i])
	}
	if err == nil && keys.Sizes() != x.Sizes {
		err = state.ErrFormat
	}
	if errors.Is(err, errUnusable) || errors.Is(err, state.ErrFormat) {
		err = fmt.Errorf("%w: their keys: %w", errAgain, err)
	}
	return keys, err
}

// takeOver fills the totals from the total of the run before or, where that is of other objects, from the states of the kept ones.
func (w *work) takeOver(ctx context.Context, p *plan) error {
	if len(p.kept) == 0 {
		return nil
	}
	if !p.total {
		return w.addStates(ctx, p)
	}
	data, err := w.store.read(ctx, w.store.index.Total)
	if errors.Is(err, errUnusable) {
		w.job.Run.Log.Warn("the total of the KPIs is missing or damaged; it is made anew of the states", "reason", err)
		return w.addStates(ctx, p)
	}
	if err != nil {
		return err
	}
	if err := w.totals[0].Decode(data); err != nil {
		return fmt.Errorf("%w: their total: %w", errAgain, err)
	}
	return nil
}

// addStates adds the states of the kept objects to the totals. Objects whose states are missing or damaged become fresh ones.
func (w *work) addStates(ctx context.Context, p *plan) error {
	var next atomic.Int64
	unusable := make([]bool, len(p.kept))
	group, ctx := errgroup.WithContext(ctx)
	for i := range w.threads() {
		group.Go(func() error {
			loader := state.NewLoader(w.totals[i%len(w.totals)])
			defer loader.Close()
			for i := next.Add(1) - 1; i < int64(len(p.kept)); i = next.Add(1) - 1 {
				f := p.kept[i].State
				data, err := w.store.read(ctx, f)
				if errors.Is(err, errUnusable) {
					unusable[i] = true
					continue
				}
				if err != nil {
					return err
				}
				if err := loader.Add(data); err != nil {
					return fmt.Errorf("%w: %s: %w", errAgain, f.Name, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	before := len(p.kept)
	i := -1
	p.kept = slices.DeleteFunc(p.kept, func(o objectState) bool {
		if i++; unusable[i] {
			p.fresh = append(p.fresh, w.object(o.Key))
		}
		return unusable[i]
	})
	if lost := before - len(p.kept); lost > 0 {
		w.lost(lost)
	}
	return nil
}

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mss/internal/blob"
	"mss/internal/kpi"
	"mss/internal/lake"
	"mss/internal/lock"
)

// recover finishes or undoes what dead runs left: r.Dead, or all where thorough is set. Alone says that the curated place is this process's.
func (p *Pipeline) recover(ctx context.Context, r *lake.Recovery, thorough, alone bool) error {
	if alone {
		if err := r.Staged(ctx, p.Curated, true); err != nil {
			return err
		}
	}
	if len(r.Dead) == 0 && !thorough {
		return nil
	}
	for _, d := range []lake.Dataset{lake.Songs(p.Curated), lake.Users(p.Curated), lake.Transformed(p.Curated), lake.KPIOutput(p.Analytics)} {
		if err := r.Dataset(ctx, d); err != nil {
			return err
		}
	}
	for _, b := range []blob.Bucket{p.Curated, p.Analytics, p.Temp} {
		if err := r.Staged(ctx, b, false); err != nil {
			return err
		}
	}
	return p.recoverLoads(ctx, r)
}

// recoverLoads deletes what dead runs were about to load the warehouse from.
func (p *Pipeline) recoverLoads(ctx context.Context, r *lake.Recovery) error {
	for _, run := range r.Dead {
		objects, err := p.Temp.List(ctx, kpi.TempFolder(run))
		if err != nil {
			return fmt.Errorf("clean up behind a killed run: %w", err)
		}
		for _, o := range objects {
			if !r.Dry {
				if err := p.Temp.Delete(ctx, o.Key); err != nil {
					return fmt.Errorf("clean up behind a killed run: %w", err)
				}
				p.Log.Warn("a run that was killed left an object of a load: deleted", "place", p.Temp.String(), "object", o.Key)
			}
			r.Fixes = append(r.Fixes, lake.Fix{Place: p.Temp.String(), Object: o.Key, Done: "deleted the object of a load"})
		}
	}
	return nil
}

// Clean does the cleaning up alone, which each run does first, and says what it did; with dry, what it would do.
func (p *Pipeline) Clean(ctx context.Context, id string, dry bool) (fixes []lake.Fix, err error) {
	r := &lake.Recovery{Run: p.run(id), Dry: dry}
	opt := p.Lock
	opt.Log = p.Log
	if dry {
		s, err := lock.Look(ctx, p.Curated, opt)
		if err != nil {
			return nil, err
		}
		if s.Held {
			return nil, fmt.Errorf("%w: %s, since %s: what it has staged is not left behind", lock.ErrHeld, s.Holder, s.Since.Format(time.RFC3339))
		}
		r.Dead = s.Unfinished
		err = p.recover(ctx, r, true, false)
		return r.Fixes, err
	}
	held, ctx, err := lock.Acquire(ctx, p.Curated, lock.Self(id), opt)
	if err != nil {
		return nil, err
	}
	r.Run.Lock, r.Dead = held, held.Unfinished()
	left := r.Dead
	if err = lost(ctx, held, p.recover(ctx, r, true, held.OfProcess())); err == nil {
		left = nil
	}
	return r.Fixes, errors.Join(err, held.Release(ctx, left))
}

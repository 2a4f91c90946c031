package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/lock"
)

// recover finishes or undoes what the dead runs left. The lock is held, unless dry is set: then nothing is written.
func (p *Pipeline) recover(ctx context.Context, run *lake.Run, dead []string, r *lake.Recovery) error {
	always := r != nil // `mss clean` looks also where no run is known to have died
	if len(dead) == 0 && !always {
		return nil
	}
	if r == nil {
		r = &lake.Recovery{}
	}
	r.Run, r.Dead = run, dead
	for _, d := range []lake.Dataset{lake.Songs(p.Curated), lake.Users(p.Curated), lake.Transformed(p.Curated), lake.KPIOutput(p.Analytics)} {
		if err := r.Dataset(ctx, d); err != nil {
			return err
		}
	}
	for _, b := range []blob.Bucket{p.Curated, p.Analytics, p.Temp} {
		if err := r.Staged(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// Clean does the cleaning up alone, which each run does first, and says what it did; with dry, what it would do.
func (p *Pipeline) Clean(ctx context.Context, id string, dry bool) (fixes []lake.Fix, err error) {
	r := &lake.Recovery{Dry: dry}
	run := p.run(id)
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
		err = p.recover(ctx, run, s.Unfinished, r)
		return r.Fixes, err
	}
	held, ctx, err := lock.Acquire(ctx, p.Curated, lock.Self(id), opt)
	if err != nil {
		return nil, err
	}
	run.Lock = held
	left := held.Unfinished()
	if err = lost(ctx, p.recover(ctx, run, left, r)); err == nil {
		left = nil
	}
	return r.Fixes, errors.Join(err, held.Release(ctx, left))
}

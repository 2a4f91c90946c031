package redshift

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	maxTries   = 8
	firstDelay = 200 * time.Millisecond
)

// retry repeats do while again accepts its error, with growing pauses: at most 50 s in all, and with jitter, so that two
// runs that collided do not collide again in step.
func (w *Warehouse) retry(ctx context.Context, what string, again func(error) bool, do func() error) error {
	delay := w.firstDelay
	for try := 1; ; try++ {
		err := do()
		if err == nil || ctx.Err() != nil || try == maxTries || !again(err) {
			return err
		}
		w.log.Warn(what+": trying again", "warehouse", w.name, "try", try, "error", err)
		if err := pause(ctx, delay+rand.N(delay)); err != nil {
			return err
		}
		delay *= 2
	}
}

// again says whether repeating the whole transaction can cure an error: another one came in between, or the connection was lost.
func (w *Warehouse) again(err error) bool { return w.dialect.conflict(err) || w.dialect.lost(err) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

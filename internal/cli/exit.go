package cli

import (
	"context"
	"errors"
	"fmt"

	"mss/internal/lake"
	"mss/internal/lock"
	"mss/internal/report"
)

// exitStatus ends every help text: what the exit codes mean.
const exitStatus = `
Exit status:
  0    done
  1    failed
  2    wrong usage or configuration
  3    data quality refused: too many rows were rejected, nothing was published
  4    another run holds the lock
  130  interrupted
`

var errInterrupted = errors.New("interrupted; run it again to finish what it left")

// exitCode is the one place where errors become exit codes:
//
//	0    done
//	1    failed: an input or output could not be read or written, a column is missing, the warehouse refused, …
//	2    wrong usage or configuration (lake.ErrUsage): an unknown command or flag, a bad value, an unknown key
//	     in mss.yaml, a job whose input was made under other semantics; running it again cannot help
//	3    data quality refused (lake.ErrRefused): the rejected share of a dataset exceeds max-reject-ratio; nothing
//	     was published, the rejected rows are in quarantine/
//	4    another run holds the lock (lock.ErrHeld); trying again later helps
//	130  interrupted by SIGINT or SIGTERM; the next run finishes or undoes what was left
func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errInterrupted):
		return 130
	case errors.Is(err, lake.ErrUsage):
		return 2
	case errors.Is(err, lake.ErrRefused):
		return 3
	case errors.Is(err, lock.ErrHeld):
		return 4
	}
	return 1
}

// outcome is the word of the run report for an error.
func outcome(err error) string { return report.Outcome(exitCode(err)) }

// usageError puts an error into the category of lake.ErrUsage without changing its text.
type usageError struct{ error }

func (e usageError) Unwrap() error        { return e.error }
func (e usageError) Is(target error) bool { return target == lake.ErrUsage }

// asInterrupted gives err the category of an interruption when a signal has ended ctx: whatever fails then, fails because of it.
func asInterrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, errInterrupted) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	return fmt.Errorf("%w: %w", errInterrupted, err)
}

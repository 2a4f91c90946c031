package redshift

import (
	"context"
	"errors"
	"time"
)

// commitPatience is how long a commit may take on when its context has ended: what becomes of it is worth knowing.
const commitPatience = 10 * time.Second

// commitError is an error of COMMIT itself.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// errRolledBack is a commit of a transaction that had failed before.
var errRolledBack = errors.New("the server rolled back instead of committing")

// transaction runs do between begin and COMMIT.
func (w *Warehouse) transaction(ctx context.Context, s session, do func() error) error {
	if err := s.exec(ctx, w.dialect.begin); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = commit(ctx, s)
	}
	if err != nil {
		// The connection is closed next, which rolls back as well, but on a server only when it notices.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = s.exec(clean, "ROLLBACK")
	}
	return err
}

func commit(ctx context.Context, s session) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(commitPatience, cancel) })()
	if err := s.exec(patient, "COMMIT"); err != nil {
		return commitError{err}
	}
	return nil
}

// unsure tells whether a transaction that ended with err may have been committed all the same: the reply to COMMIT is missing.
func (w *Warehouse) unsure(err error) bool {
	var failed commitError
	return errors.As(err, &failed) && !errors.Is(err, errRolledBack) && (w.dialect.lost(err) || errors.Is(err, context.Canceled))
}

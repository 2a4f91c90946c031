package lake

import (
	"context"
	"log/slog"
	"sync"

	"mss/internal/report"
	"mss/internal/schema"
)

// Run is what all jobs of one run share.
type Run struct {
	ID             string // names the run in snapshots and messages; never in data objects
	Semantics      schema.Semantics
	Foreign        Foreign
	MaxRejectRatio float64 // rejected share above which a dataset is refused
	Full           bool    // do everything anew, also what has not changed
	Threads        int     // workers, at least 1
	Lock           Lock    // of the lake; nil where there is none, as in tests
	Log            *slog.Logger
	Progress       report.Progress

	// snapshots are those that were read or written, by dataset: while a run holds the lock, nobody else replaces them.
	snapshots sync.Map
}

// Snapshot reads the dataset's snapshot, once in a run that holds the lock; nil when there is none.
func (r *Run) Snapshot(ctx context.Context, d Dataset) (*Snapshot, error) {
	if s, ok := r.snapshots.Load(d.snapshotKey()); ok && r.Lock != nil {
		return s.(*Snapshot), nil
	}
	s, err := d.Snapshot(ctx)
	if err == nil {
		r.snapshots.Store(d.snapshotKey(), s)
	}
	return s, err
}

// Quiet is the run without progress.
func (r *Run) Quiet() *Run {
	return &Run{ID: r.ID, Semantics: r.Semantics, Foreign: r.Foreign, MaxRejectRatio: r.MaxRejectRatio, Full: r.Full,
		Threads: r.Threads, Lock: r.Lock, Log: r.Log, Progress: report.NoProgress{}}
}

// Lock is met by lock.Lock.
type Lock interface {
	// Check is nil while no other run can have the lock.
	Check() error
}

// check is asked before each step that others can see.
func (r *Run) check() error {
	if r.Lock == nil {
		return nil
	}
	return r.Lock.Check()
}

// Foreign says what to do with Parquet objects in an output folder that no snapshot lists.
type Foreign string

// The ways to treat foreign objects.
const (
	ForeignStop   Foreign = "stop"   // stop before publishing (the default)
	ForeignIgnore Foreign = "ignore" // leave them where they are
	ForeignRemove Foreign = "remove" // delete them when the new objects are published
)

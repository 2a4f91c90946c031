package lake

import (
	"log/slog"

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

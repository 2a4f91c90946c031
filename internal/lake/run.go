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
	Threads        int     // workers, at least 1
	Log            *slog.Logger
	Progress       report.Progress
}

// Foreign says what to do with Parquet objects in an output folder that no snapshot lists.
type Foreign string

// The ways to treat foreign objects.
const (
	ForeignStop   Foreign = "stop"   // stop before publishing (the default)
	ForeignIgnore Foreign = "ignore" // leave them where they are
	ForeignRemove Foreign = "remove" // delete them when the new objects are published
)

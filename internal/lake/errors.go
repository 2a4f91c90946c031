package lake

import "errors"

// The categories of error that decide the exit code of mss. Everything else is a failure (exit 1).
var (
	ErrUsage   = errors.New("wrong usage or configuration") // exit 2
	ErrRefused = errors.New("data quality refused")         // exit 3
	ErrLocked  = errors.New("another run holds the lock")   // exit 4
)

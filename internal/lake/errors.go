package lake

import "errors"

// The categories of error that decide the exit code of mss. Everything else is a failure (exit 1), but for lock.ErrHeld.
var (
	ErrUsage   = errors.New("wrong usage or configuration") // exit 2
	ErrRefused = errors.New("data quality refused")         // exit 3
)

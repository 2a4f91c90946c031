// Package heap suits Go's heap to runs that last a second: it starts small, and most of it is written once.
package heap

import (
	"math"
	"os"
	"runtime/debug"
	"sync"
)

// Pace has the garbage collector work less often while the heap is small, and a little more often than it does by default when it is
// large: the first is a quarter of the CPU time of a short job, the second keeps a run on two cores below 300 MB, also on S3.
//
// The collector waits until the heap has grown by a share of itself. What is returned counts as heap, but is never touched, so that it
// takes no memory; the caller keeps it alive. Whoever sets GOGC knows better.
func Pace() []byte {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(40)
	return make([]byte, 64<<20)
}

const (
	worthwhile = 16 << 20  // bytes of input from which on a prepared heap is worth its price, 4 ms of one core
	prepared   = 192 << 20 // bytes of heap that are prepared: about what a job on two cores uses
)

var once sync.Once

// Expect says that a job is about to read so many bytes. For more than a few it has the kernel back the heap by huge pages, where that has to be
// asked for: else touching memory for the first time, 4 KiB at a time, is a tenth of the job. It takes some milliseconds; beside the beginning of
// the job it would be free, but then what lies where in the caches is left to chance, which costs integrate more.
func Expect(input int64) {
	if input < worthwhile || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	once.Do(func() {
		if advisable() {
			prepare(prepared)
		}
	})
}

// Command mss turns plays in CSV into genre and hourly KPIs, see `mss --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"mss/internal/cli"
)

func main() {
	pace := paceCollector()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the context, and the run tidies up. Then signals do again what they do by
	// default, so that a second one kills a run that does not come to an end.
	context.AfterFunc(ctx, stop)
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv)
	runtime.KeepAlive(pace)
	os.Exit(code)
}

// paceCollector has the garbage collector work less often while the heap is small, and a little more often than it does by default when it is
// large: the first is a quarter of the CPU time of a short job, the second keeps a run on two cores below 300 MB, also on S3.
//
// The collector waits until the heap has grown by a share of itself. What is returned counts as heap, but is never touched, so that it
// takes no memory. Whoever sets GOGC knows better.
func paceCollector() []byte {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(40)
	return make([]byte, 64<<20)
}

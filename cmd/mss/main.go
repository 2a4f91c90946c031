// Command mss turns plays in CSV into genre and hourly KPIs, see `mss --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"mss/internal/cli"
	"mss/internal/heap"
)

func main() {
	pace := heap.Pace()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the context, and the run tidies up. Then signals do again what they do by
	// default, so that a second one kills a run that does not come to an end.
	context.AfterFunc(ctx, stop)
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv)
	runtime.KeepAlive(pace)
	os.Exit(code)
}

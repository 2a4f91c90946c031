// Command mss turns plays in CSV into genre and hourly KPIs, see `mss --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"mss/internal/cli"
)

func main() {
	// Most of what mss holds is buffers that are used again and again. To collect a little more often than Go does by default
	// keeps a run on two cores below 300 MB, also on S3, and costs some hundredths of CPU time. Whoever sets GOGC knows better.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(60)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the context, and the run tidies up. Then signals do again what they do by
	// default, so that a second one kills a run that does not come to an end.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// Command mss turns plays in CSV into genre and hourly KPIs, see `mss --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"mss/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the context, and the run tidies up. Then signals do again what they do by
	// default, so that a second one kills a run that does not come to an end.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// Package cli is the command line of mss: its commands, their flags, what they print, and their exit codes.
package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/redshift"
)

// Main runs mss with the arguments that follow its name, and returns the exit code. It touches no global of the
// process but the memory limit, so that tests can run it in process.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer,
	lookupEnv func(string) (string, bool)) int {
	a := &app{stdout: stdout, console: &console{w: stderr}, lookupEnv: lookupEnv, now: time.Now}
	root := a.root(stdin)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !a.started {
		err = usageError{err} // nothing has run yet, so the command line is at fault
	}
	a.say(err)
	if err != nil && !a.started {
		fmt.Fprintf(a.console, "Run '%s --help' for the usage.\n", cmd.CommandPath())
	}
	return exitCode(err)
}

// app is what the commands share.
type app struct {
	stdout    io.Writer
	console   *console
	lookupEnv func(string) (string, bool)
	now       func() time.Time
	flags     flags

	started bool         // whether a command's own work has begun
	log     *slog.Logger // set by load
	jsonLog bool
}

func (a *app) root(stdin io.Reader) *cobra.Command {
	root := &cobra.Command{
		Use:   "mss",
		Short: "Genre and hourly KPIs from music plays: CSV to Parquet to a warehouse",
		Long: `mss computes genre and hourly KPIs of music streaming in three jobs: metadata cleans songs and users,
integrate joins every play with them, kpi aggregates and loads the warehouse.

Each setting comes, in rising order of precedence, from its default, the config file (mss.yaml in the
working directory, or --config), the environment (MSS_RAW for --raw, MSS_LOG_LEVEL for --log-level, …)
and the flag. Stdout carries the report or the result, stderr the log.`,
		Example: `  mss demo                                try it on made-up data
  mss run all                             all three jobs on lake/raw
  mss run all --raw s3://lab1-rawdata --curated s3://lab1-curateddata …
  mss query genres                        the genre ranking
  mss config show                         which settings apply, and why`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetHelpTemplate(root.HelpTemplate() + exitStatus)
	root.SetIn(stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.console)
	a.flags.addTo(root)
	root.AddCommand(a.runCmd(), a.queryCmd(), a.planCmd(), a.historyCmd(), a.cleanCmd(), a.demoCmd(), a.generateCmd(), a.configCmd(), a.versionCmd(),
		a.catalogCmd(), a.doctorCmd(), a.policyCmd())
	// cobra's own group of commands answers an unknown shell with its help, and exit code 0.
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		group(completion)
	}
	return root
}

// do marks the beginning of a command's own work: errors before it are wrong usage. It also gives the error of a
// run that was interrupted its category.
func (a *app) do(run func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.started = true
		return asInterrupted(cmd.Context(), run(cmd, args))
	}
}

// group is a command that only holds others.
func group(cmd *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())
		}
		return fmt.Errorf("%q wants one of its commands", cmd.CommandPath())
	}
	cmd.AddCommand(subs...)
	return cmd
}

// load resolves the settings and prepares what depends on them: the log and the memory limit. Like config.Load it
// returns what it could resolve also with an error.
func (a *app) load(preset map[string]string, presetName string) (*config.Config, error) {
	file := a.flags.config
	if file == "" {
		file, _ = a.env("MSS_CONFIG")
	}
	cfg, err := config.Load(config.Sources{
		File: file, LookupEnv: a.lookupEnv, Flags: a.flags.given(),
		Preset: preset, PresetName: presetName, Mask: redshift.MaskURL,
	})
	a.jsonLog = cfg.LogFormat == "json"
	a.log = newLogger(a.console, cfg.LogFormat, cfg.LogLevel)
	if err != nil {
		return cfg, usageError{err}
	}
	if cfg.MemoryLimit > 0 {
		debug.SetMemoryLimit(cfg.MemoryLimit)
	}
	return cfg, nil
}

func (a *app) env(name string) (string, bool) {
	if a.lookupEnv == nil {
		return "", false
	}
	return a.lookupEnv(name)
}

// say writes the error that ends a command to stderr, in the format of the log.
func (a *app) say(err error) {
	switch {
	case err == nil:
	case a.jsonLog:
		a.log.Error(err.Error(), "exit", exitCode(err))
	default:
		fmt.Fprintf(a.console, "mss: %v\n", err)
	}
}

package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/pipeline"
	"mss/internal/report"
)

func (a *app) runCmd() *cobra.Command {
	return group(&cobra.Command{
		Use:   "run",
		Short: "Run one job, or all three in order",
		Long: `Run one job, or all three in order. A job run twice on the same input leaves the same bytes.

With --output json, stdout is one JSON document, also when the run fails:
  {"run", "outcome", "jobs": [{"job", "rows_in", "rows_out", "plays", "rejected": {reason: n}, "collapsed",
   "sources": {action: n}, "total": {…}, "bytes_read", "bytes_written", "objects", "seconds", "rows_per_s"}], "error"}`,
		Example: `  mss run all
  mss run integrate --raw s3://lab1-rawdata --curated s3://lab1-curateddata --threads 8
  mss run kpi --warehouse redshift://admin@wg.123456789012.eu-west-1.redshift-serverless.amazonaws.com:5439/dev
  mss run all --output json --log-format json`,
	},
		a.runJobsCmd("metadata", "Clean songs.csv and users.csv into typed Parquet",
			"Read metadata/songs.csv and metadata/users.csv of the raw place, where they have changed, and write\nprocessed-metadata/ of the curated place. Rejected rows go to quarantine/.",
			pipeline.Metadata),
		a.runJobsCmd("integrate", "Join every play with its songs and its user",
			"Join streams/**.csv of the raw place with processed-metadata/, and write mss-transformed/ of the curated place,\none Parquet object for each CSV object. Objects that are new or have changed are read, and all of them when songs or\nusers have changed.",
			pipeline.Integrate),
		a.runJobsCmd("kpi", "Compute genre and hourly KPIs and load the warehouse",
			"Aggregate mss-transformed/ of the curated place, write kpi_output/ of the analytics place, and make kpi_table of\nthe warehouse equal to it, in one transaction.",
			pipeline.KPI),
		a.runJobsCmd("all", "Run metadata, integrate and kpi", "Run metadata, integrate and kpi, in this order.", pipeline.All...),
	)
}

// dayRange are the flags --from and --to.
type dayRange struct{ from, to string }

func (d *dayRange) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.from, "from", "", "integrate only raw objects with plays on or after this `DAY` (YYYY-MM-DD), and do it anew")
	cmd.Flags().StringVar(&d.to, "to", "", "integrate only raw objects with plays on or before this `DAY` (YYYY-MM-DD), and do it anew")
}

func (d *dayRange) check() error {
	for flag, day := range map[string]string{"--from": d.from, "--to": d.to} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return usageError{fmt.Errorf("%s %q: want a day as 2024-06-25", flag, day)}
		}
	}
	if d.from != "" && d.to != "" && d.from > d.to {
		return usageError{fmt.Errorf("--from %s is after --to %s", d.from, d.to)}
	}
	return nil
}

func (a *app) runJobsCmd(name, short, long string, jobs ...string) *cobra.Command {
	var days dayRange
	cmd := &cobra.Command{
		Use:     name,
		Short:   short,
		Long:    long,
		Example: "  mss run " + name + "\n  mss run " + name + " --output json",
		Args:    cobra.NoArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(nil, "")
			if err == nil {
				err = days.check()
			}
			return a.runAndReport(cmd.Context(), cfg, err, days, jobs)
		}),
	}
	if slices.Contains(jobs, pipeline.Integrate) {
		days.addTo(cmd)
	}
	return cmd
}

// runAndReport runs the jobs and prints the report. err is the error of the configuration, if any: then there is
// nothing to run, but still a report to give to whoever reads JSON.
func (a *app) runAndReport(ctx context.Context, cfg *config.Config, err error, days dayRange, jobs []string) error {
	if err != nil && cfg.Output != "json" {
		return err
	}
	r := report.Run{Run: newRunID(a.now())}
	if err == nil {
		r.Jobs, err = a.runJobs(ctx, cfg, r.Run, days, jobs)
		err = asInterrupted(ctx, err)
	}
	r.Outcome = outcome(err)
	if err != nil {
		r.Error = err.Error()
	}
	printed := writeRun(a.stdout, cfg.Output, r)
	if err != nil {
		return err
	}
	return printed
}

func (a *app) runJobs(ctx context.Context, cfg *config.Config, id string, days dayRange, jobs []string) ([]report.Job, error) {
	p, err := a.pipeline(ctx, cfg, id)
	if err != nil {
		return nil, err
	}
	p.Integrate.From, p.Integrate.To = days.from, days.to
	progress := newProgress(a.console, cfg)
	defer progress.Stop()
	p.Progress = progress
	// The history is to say how the run ended for who started it.
	p.ExitCode = func(err error) int { return exitCode(asInterrupted(ctx, err)) }
	return p.Run(ctx, id, jobs)
}

// newRunID names a run: its time, so that names sort, and a suffix, so that two in one second differ.
func newRunID(now time.Time) string {
	var suffix [3]byte
	_, _ = rand.Read(suffix[:]) // never returns an error
	return now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(suffix[:])
}

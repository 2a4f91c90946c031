package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/report"
)

func (a *app) runCmd() *cobra.Command {
	return group(&cobra.Command{
		Use:   "run",
		Short: "Run one job, or all three in order",
		Long: `Run one job, or all three in order. A job run twice on the same input leaves the same bytes.

With --output json, stdout is one JSON document, also when the run fails:
  {"run", "outcome", "jobs": [{"job", "rows_in", "rows_out", "plays", "rejected": {reason: n}, "collapsed",
   "bytes_read", "bytes_written", "objects", "seconds", "rows_per_s"}], "error"}`,
		Example: `  mss run all
  mss run integrate --raw s3://lab1-rawdata --curated s3://lab1-curateddata --threads 8
  mss run kpi --warehouse redshift://admin@wg.123456789012.eu-west-1.redshift-serverless.amazonaws.com:5439/dev
  mss run all --output json --log-format json`,
	},
		a.runJobsCmd("metadata", "Clean songs.csv and users.csv into typed Parquet",
			"Read metadata/songs.csv and metadata/users.csv of the raw place, and write processed-metadata/ of the curated\nplace. Rejected rows go to quarantine/.",
			metadataJob),
		a.runJobsCmd("integrate", "Join every play with its songs and its user",
			"Join streams/**.csv of the raw place with processed-metadata/, and write mss-transformed/ of the curated place,\none Parquet object for each CSV object.",
			integrateJob),
		a.runJobsCmd("kpi", "Compute genre and hourly KPIs and load the warehouse",
			"Aggregate mss-transformed/ of the curated place, write kpi_output/ of the analytics place, and make kpi_table of\nthe warehouse equal to it, in one transaction.",
			kpiJob),
		a.runJobsCmd("all", "Run metadata, integrate and kpi", "Run metadata, integrate and kpi, in this order.",
			metadataJob, integrateJob, kpiJob),
	)
}

func (a *app) runJobsCmd(name, short, long string, jobs ...job) *cobra.Command {
	return &cobra.Command{
		Use:     name,
		Short:   short,
		Long:    long,
		Example: "  mss run " + name + "\n  mss run " + name + " --output json",
		Args:    cobra.NoArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(nil, "")
			return a.runAndReport(cmd.Context(), cfg, err, jobs)
		}),
	}
}

// runAndReport runs the jobs and prints the report. err is the error of the configuration, if any: then there is
// nothing to run, but still a report to give to whoever reads JSON.
func (a *app) runAndReport(ctx context.Context, cfg *config.Config, err error, jobs []job) error {
	if err != nil && cfg.Output != "json" {
		return err
	}
	r := report.Run{Run: newRunID(a.now())}
	if err == nil {
		r.Jobs, err = a.pipeline(ctx, cfg, r.Run, jobs)
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

// newRunID names a run: its time, so that names sort, and a suffix, so that two in one second differ.
func newRunID(now time.Time) string {
	var suffix [3]byte
	_, _ = rand.Read(suffix[:]) // never returns an error
	return now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(suffix[:])
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/pipeline"
	"mss/internal/redshift"
)

// demoTop is the number of rows that the demo shows of each ranking, demoWidth the width of their texts. With short
// names for the columns the tables fit a terminal of 80.
const (
	demoTop   = 10
	demoWidth = 32
)

type demoOptions struct {
	generateOptions
	dir string
}

func (a *app) demoCmd() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try it: make input, run all jobs, show the rankings",
		Long: `Make synthetic input, run all three jobs on it with an embedded warehouse, and show both rankings and where
everything lies. It needs no service and no account, and can be repeated.

All places are in the folder --dir, whatever the config file and the environment say, so that made-up plays never
reach a real lake; a place that a flag names is respected.`,
		Example: `  mss demo
  mss demo --plays 1000000 --dir /tmp/mss-demo`,
		Args: cobra.NoArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(o.settings(), "mss demo")
			if err == nil && o.dir == "" {
				err = usageError{errors.New("--dir is empty: name a folder")}
			}
			if err == nil && strings.Contains(o.dir, "://") {
				err = usageError{fmt.Errorf("--dir %s: want a folder; name other places with --raw, --curated, …", o.dir)}
			}
			if err != nil {
				return a.runAndReport(cmd.Context(), cfg, err, dayRange{}, nil)
			}
			return a.demo(cmd.Context(), cfg, &o)
		}),
	}
	o.addTo(cmd)
	cmd.Flags().StringVar(&o.dir, "dir", "demo", "`FOLDER` of all input and output")
	_ = cmd.MarkFlagDirname("dir")
	return cmd
}

// settings keep the demo in its folder, and its output short.
func (o *demoOptions) settings() map[string]string {
	dir := strings.TrimRight(o.dir, "/")
	return map[string]string{
		"raw": dir + "/raw", "curated": dir + "/curated", "analytics": dir + "/analytics", "temp": dir + "/temp",
		"warehouse": "sqlite:" + dir + "/warehouse.db", "warehouse-secret": "",
		"log-level": "warn",
	}
}

func (a *app) demo(ctx context.Context, cfg *config.Config, o *demoOptions) error {
	sum, err := o.generate(ctx, cfg)
	if err != nil {
		return a.runAndReport(ctx, cfg, err, dayRange{}, nil)
	}
	human := cfg.Output == "text"
	if human {
		fmt.Fprintf(a.stdout, "%s in %s\n\n", describe(sum), cfg.Raw)
	}
	if err := a.runAndReport(ctx, cfg, nil, dayRange{}, pipeline.All); err != nil || !human {
		return err
	}
	rankings, err := a.query(ctx, cfg, redshift.QueryGenres(), redshift.QueryHours())
	if err != nil {
		return err
	}
	at := shellQuote(redshift.MaskURL(cfg.Warehouse))
	_, err = fmt.Fprintf(a.stdout, `
The genre ranking: mss query genres --warehouse %[1]s
%[2]s

The peak hours: mss query hours --warehouse %[1]s
%[3]s

Where everything lies:
  input            %[4]s/{metadata,streams}
  songs and users  %[5]s/processed-metadata
  joined plays     %[5]s/mss-transformed
  rejected rows    %[5]s/quarantine
  KPIs, Parquet    %[6]s/kpi_output
  KPIs, table      %[7]s, public.kpi_table
`, at, top(rankings[0], "genre", "plays", "popularity", "top artist"),
		top(rankings[1], "hour", "listeners", "diversity"), cfg.Raw, cfg.Curated, cfg.Analytics, redshift.MaskURL(cfg.Warehouse))
	return err
}

// top is the beginning of a ranking, under other names for its columns.
func top(t *redshift.Table, columns ...string) string {
	rows := t.Rows[:min(len(t.Rows), demoTop)]
	return fmt.Sprintf("%s\n(the first %d of %d)", renderRows(columns, rows, demoWidth), len(rows), len(t.Rows))
}

// shellQuote makes a word of a command line to be copied.
func shellQuote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

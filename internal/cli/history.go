package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/history"
)

func (a *app) historyCmd() *cobra.Command {
	last := 20
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List the last runs",
		Long: `List the last runs of the lake, the newest first: when, what, how it ended, and what it did. The records lie in
_mss/runs/ of the curated place.`,
		Example: "  mss history\n  mss history --last 100 --output json\n  mss history show 20240625T02",
		Args:    cobra.NoArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(nil, "")
			if err == nil && last < 1 {
				err = usageError{fmt.Errorf("--last %d: want at least 1", last)}
			}
			if err != nil {
				return err
			}
			return a.history(cmd.Context(), cfg, last)
		}),
	}
	cmd.Flags().IntVar(&last, "last", last, "list the last `N` runs")
	cmd.AddCommand(&cobra.Command{
		Use:     "show RUN",
		Short:   "Show one run: settings, inputs, figures, outcome",
		Long:    "Show one run: its settings, inputs, figures and outcome. RUN may be cut short, as long as it is the only one.",
		Example: "  mss history show 20240625T021500Z-0f3a9c\n  mss history show 20240625T02 --output json",
		Args:    cobra.ExactArgs(1),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			return a.showRun(cmd.Context(), cfg, args[0])
		}),
	})
	return cmd
}

func (a *app) history(ctx context.Context, cfg *config.Config, last int) error {
	curated, err := openPlace(ctx, cfg, "", cfg.Curated)
	if err != nil {
		return err
	}
	records, damaged, err := history.Last(ctx, curated, last)
	if err != nil {
		return err
	}
	for _, err := range damaged {
		a.log.Warn("a run is left out", "error", err)
	}
	if cfg.Output == "json" {
		return a.printJSON(append([]history.Record{}, records...))
	}
	if len(records) == 0 {
		_, err := fmt.Fprintf(a.stdout, "no run is recorded in %s yet\n", printable(curated.String()))
		return err
	}
	t := newTable()
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 5, Align: text.AlignRight, AlignHeader: text.AlignRight},
		{Number: 6, Align: text.AlignRight, AlignHeader: text.AlignRight}, {Number: 7, Align: text.AlignRight, AlignHeader: text.AlignRight}})
	t.AppendHeader(table.Row{"run", "began", "jobs", "outcome", "seconds", "read", "plays in all"})
	for _, r := range records {
		plays := int64(0)
		for _, j := range r.Jobs {
			if j.Job != "metadata" {
				plays = max(plays, j.Plays, j.Total.Plays)
			}
		}
		t.AppendRow(table.Row{printable(r.Run.Run), r.Began.Format("2006-01-02 15:04:05"), strings.Join(r.Asked, ", "), r.Outcome,
			fmt.Sprintf("%.2f", r.Seconds), english.Plural(len(r.Inputs), "object", ""), humanize.Comma(plays)})
	}
	_, err = fmt.Fprintln(a.stdout, t.Render())
	return err
}

func (a *app) showRun(ctx context.Context, cfg *config.Config, run string) error {
	curated, err := openPlace(ctx, cfg, "", cfg.Curated)
	if err != nil {
		return err
	}
	r, err := history.Read(ctx, curated, run)
	if errors.Is(err, history.ErrNoRun) {
		err = usageError{err}
	}
	if err != nil {
		return err
	}
	if cfg.Output == "json" {
		return a.printJSON(r)
	}
	var b strings.Builder
	b.WriteString(runText(r.Run))
	fmt.Fprintf(&b, "\n  began      %s, took %.2f s, exit %d\n", r.Began.Format(time.RFC3339), r.Seconds, r.Exit)
	fmt.Fprintf(&b, "  by         mss %s on host %s, pid %d\n", printable(r.Version), printable(r.Host), r.PID)
	if r.Error != "" {
		fmt.Fprintf(&b, "  error      %s\n", printable(r.Error))
	}
	for _, s := range r.Settings {
		if s.Origin != "default" {
			fmt.Fprintf(&b, "  %-22s %s  (%s)\n", s.Name, printable(s.Value), printable(s.Origin))
		}
	}
	const most = 20
	for i, in := range r.Inputs {
		if i == most {
			fmt.Fprintf(&b, "  and %s more: --output json lists them\n", english.Plural(len(r.Inputs)-most, "object", ""))
			break
		}
		fmt.Fprintf(&b, "  read       %s, %s, %s\n", printable(in.Key), humanize.Bytes(uint64(in.Size)), in.Why)
	}
	_, err = fmt.Fprint(a.stdout, b.String())
	return err
}

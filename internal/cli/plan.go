package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/pipeline"
	"mss/internal/redshift"
	"mss/internal/report"
	"mss/internal/schema"
)

// planShown is how many sources of each action the plan lists for people.
const planShown = 10

func (a *app) planCmd() *cobra.Command {
	var days dayRange
	cmd := &cobra.Command{
		Use:   "plan [metadata|integrate|kpi|all]",
		Short: "Say what a run would do, and why, and write nothing",
		Long: `Say what a run would do, and why: which raw objects are new, replaced, unchanged or gone, how much is to be read, and
how many rows are to be loaded. It writes nothing and takes no lock.

With --output json, stdout is one JSON document:
  [{"job", "sources": [{"key", "action", "size", "read"}], "bytes", "objects", "deletes", "foreign", "rows": {"total",
    "inserted", "replaced", "deleted", "same"}, "because": […]}]`,
		Example:   "  mss plan\n  mss plan integrate --output json\n  mss plan integrate --from 2024-06-25 --to 2024-06-25",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: append([]string{"all"}, pipeline.All...),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			cfg, err := a.load(nil, "")
			if err == nil {
				err = days.check()
			}
			jobs := pipeline.All
			if len(args) == 1 && args[0] != "all" {
				jobs = args
			}
			if err == nil && !pipeline.Known(jobs[0]) {
				err = usageError{fmt.Errorf("there is no job %q: want metadata, integrate, kpi or all", jobs[0])}
			}
			if err != nil {
				return err
			}
			return a.plan(cmd.Context(), cfg, days, jobs)
		}),
	}
	days.addTo(cmd)
	return cmd
}

func (a *app) plan(ctx context.Context, cfg *config.Config, days dayRange, jobs []string) error {
	p, err := a.pipeline(ctx, cfg, newRunID(a.now()))
	if err != nil {
		return err
	}
	p.Integrate.From, p.Integrate.To = days.from, days.to
	plans, err := p.Plan(ctx, "plan", jobs, func(ctx context.Context) (pipeline.Comparer, error) { return a.openComparer(ctx, cfg) })
	if err != nil {
		return err
	}
	if cfg.Output == "json" {
		return a.printJSON(plans)
	}
	for _, plan := range plans {
		if _, err := fmt.Fprint(a.stdout, planText(plan)); err != nil {
			return err
		}
	}
	return nil
}

// nothingThere stands for a warehouse that the first load will create.
type nothingThere struct{}

func (nothingThere) Compare(_ context.Context, rows []schema.KPI, _ bool) (report.RowPlan, error) {
	return report.RowPlan{Total: len(rows), Inserted: len(rows)}, nil
}
func (nothingThere) Close() error { return nil }

// openComparer opens the warehouse to look at it; it need not be there.
func (a *app) openComparer(ctx context.Context, cfg *config.Config) (pipeline.Comparer, error) {
	w, err := openWarehouse(ctx, cfg, redshift.Options{Log: a.log, ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nothingThere{}, nil
	}
	if err != nil {
		return nil, err // not w: a nil *Warehouse is no nil interface
	}
	return w, nil
}

// planText is the plan of a job for people.
func planText(p report.Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", p.Job)
	switch {
	case p.Rows != nil:
		r := p.Rows
		if r.Same == r.Total && r.Deleted == 0 {
			fmt.Fprintf(&b, "kpi_table holds all %d rows already\n", r.Total)
		} else {
			fmt.Fprintf(&b, "%d rows to insert, %d to replace, %d to delete; %d stay as they are\n", r.Inserted, r.Replaced, r.Deleted, r.Same)
		}
	case p.Deletes > 0:
		fmt.Fprintf(&b, "%s to read, %s to write, %d to delete\n", humanize.Bytes(uint64(p.Bytes)), english.Plural(p.Objects, "object", ""), p.Deletes)
	case p.Objects == 0 && len(p.Because) > 0:
		b.WriteString(p.Because[0] + "\n")
		p.Because = p.Because[1:]
	case p.Objects == 0:
		fmt.Fprintf(&b, "nothing to do; unchanged: %s\n", english.Plural(len(p.Sources), "source", ""))
	default:
		fmt.Fprintf(&b, "%s to read, %s to write\n", humanize.Bytes(uint64(p.Bytes)), english.Plural(p.Objects, "object", ""))
	}
	if len(p.Sources) > 0 {
		b.WriteString(sourcesText(p.Sources))
	}
	for _, because := range p.Because {
		fmt.Fprintf(&b, "  %s\n", printable(because))
	}
	return b.String()
}

func sourcesText(sources []report.PlannedSource) string {
	byAction := map[string][]report.PlannedSource{}
	var actions []string
	for _, s := range sources {
		if byAction[s.Action] == nil {
			actions = append(actions, s.Action)
		}
		byAction[s.Action] = append(byAction[s.Action], s)
	}
	slices.Sort(actions)
	t := newTable()
	t.AppendHeader(table.Row{"sources", "objects", "bytes", "such as"})
	for _, action := range actions {
		list := byAction[action]
		size := int64(0)
		var names []string
		for i, s := range list {
			size += s.Size
			if i < planShown && (s.Read || action != "unchanged") {
				names = append(names, printable(s.Key))
			}
		}
		if n := len(list) - planShown; n > 0 && len(names) > 0 {
			names = append(names, fmt.Sprintf("and %d more", n))
		}
		t.AppendRow(table.Row{action, len(list), humanize.Bytes(uint64(size)), strings.Join(names, "\n")})
	}
	return t.Render() + "\n"
}

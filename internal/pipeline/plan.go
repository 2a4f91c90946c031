package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mss/internal/lake"
	"mss/internal/lock"
	"mss/internal/report"
	"mss/internal/schema"
)

// Comparer tells what a load would change.
type Comparer interface {
	Compare(ctx context.Context, rows []schema.KPI, keepStale bool) (report.RowPlan, error)
	Close() error
}

// Plan says what a run would do, job by job, and why. It takes no lock and writes nothing, so the answer is that of the moment.
func (p *Pipeline) Plan(ctx context.Context, id string, jobs []string, open func(context.Context) (Comparer, error)) (plans []report.Plan, err error) {
	run := p.run(id)
	opt := p.Lock
	opt.Log = p.Log
	state, err := lock.Look(ctx, p.Curated, opt)
	if err != nil {
		return nil, err
	}
	switch {
	case state.Held:
		p.Log.Warn("a run is under way; the plan may be outdated when it ends", "holder", state.Holder.String(), "since", state.Since.Format(time.RFC3339))
	case len(state.Unfinished) > 0:
		p.Log.Warn("a run did not end well; the next one first cleans up behind it: `mss clean --dry-run` says how", "runs", state.Unfinished)
	}
	writes := map[string]bool{} // jobs that write
	for _, name := range jobs {
		plan, err := p.plan(ctx, run, name, writes, open)
		if err != nil {
			return plans, fmt.Errorf("plan job %s: %w", name, err)
		}
		writes[name] = plan.Objects+plan.Deletes > plan.Foreign
		plans = append(plans, plan)
	}
	return plans, nil
}

func (p *Pipeline) plan(ctx context.Context, run *lake.Run, name string, writes map[string]bool, open func(context.Context) (Comparer, error)) (report.Plan, error) {
	switch name {
	case Metadata:
		return p.metadata(run).Plan(ctx)
	case Integrate:
		return p.planIntegrate(ctx, run, writes[Metadata])
	}
	if writes[Metadata] || writes[Integrate] {
		return report.Plan{Job: KPI, Because: []string{"the plays change: how many rows are to be loaded is known when they are integrated"}}, nil
	}
	return p.planKPI(ctx, run, open)
}

func (p *Pipeline) planIntegrate(ctx context.Context, run *lake.Run, metadata bool) (report.Plan, error) {
	plan, err := p.integrate(run).Plan(ctx, false)
	switch {
	case metadata && errors.Is(err, lake.ErrUsage): // there are no songs and users of these semantics yet
		return p.integrate(run).Plan(ctx, true)
	case metadata && err == nil:
		plan.Because = append(plan.Because, "songs or users are read again: should they differ, all plays are joined with them again")
	}
	return plan, err
}

func (p *Pipeline) planKPI(ctx context.Context, run *lake.Run, open func(context.Context) (Comparer, error)) (report.Plan, error) {
	plan := report.Plan{Job: KPI}
	txn, err := lake.KPIOutput(p.Analytics).Begin(ctx, run)
	if err == nil {
		err = txn.CheckForeign()
	}
	if err != nil {
		return plan, err
	}
	txn.PlanForeign(&plan)
	rows, kept, fresh, err := p.kpi(run, nil).Preview(ctx)
	if err != nil {
		return plan, err
	}
	if fresh > 0 {
		plan.Because = append(plan.Because, fmt.Sprintf("%d objects of plays are read, and what is known of %d others is taken over", fresh, kept))
	}
	w, err := open(ctx)
	if err != nil {
		return plan, err
	}
	diff, err := w.Compare(ctx, rows, p.KeepStale)
	if err := errors.Join(err, w.Close()); err != nil {
		return plan, err
	}
	plan.Rows = &diff
	return plan, nil
}

// Known says whether there is a job of this name.
func Known(job string) bool { return slices.Contains(All, job) }

// Package pipeline carries out a run: it takes the lock of the lake, cleans up behind runs that were killed, runs the jobs in order,
// keeps the record of the run, and releases the lock.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"mss/internal/blob"
	"mss/internal/history"
	"mss/internal/integrate"
	"mss/internal/kpi"
	"mss/internal/lake"
	"mss/internal/lock"
	"mss/internal/metadata"
	"mss/internal/report"
	"mss/internal/schema"
)

// The jobs.
const (
	Metadata  = "metadata"
	Integrate = "integrate"
	KPI       = "kpi"
)

// All are the jobs, in their order.
var All = []string{Metadata, Integrate, KPI}

// Warehouse is a kpi.Warehouse that is opened for a run.
type Warehouse interface {
	kpi.Warehouse
	Close() error
}

// Places are where a lake lies.
type Places struct {
	Raw, Curated, Analytics, Temp blob.Bucket
}

// Pipeline is a lake, and how to work on it.
type Pipeline struct {
	Places
	// OpenWarehouse is called when the kpi job begins: a serverless warehouse would drop a connection that waits for the jobs before.
	OpenWarehouse func(context.Context, *slog.Logger) (Warehouse, error)

	// Describe, unless nil, tells a catalog what the lake holds now, after the jobs.
	Describe func(context.Context) error

	Semantics      schema.Semantics
	Foreign        lake.Foreign
	MaxRejectRatio float64
	Full           bool
	Threads        int
	Integrate      integrate.Options
	KeepStale      bool
	Lock           lock.Options

	// For the record of the run.
	Version  string
	Settings []history.Setting
	// ExitCode gives the exit code of an error.
	ExitCode func(error) int

	Log      *slog.Logger
	Progress report.Progress
	Now      func() time.Time
}

// Run does the jobs, up to the first that fails; the figures of that one are returned too. Run id names the run, and is unique.
func (p *Pipeline) Run(ctx context.Context, id string, jobs []string) (done []report.Job, err error) {
	began := p.Now()
	self := lock.Self(id)
	opt := p.Lock
	opt.Log = p.Log
	held, ctx, err := lock.Acquire(ctx, p.Curated, self, opt)
	if err != nil {
		return nil, err
	}
	left := held.Unfinished()
	defer func() {
		err = lost(ctx, held, err)
		if err != nil {
			left = append(slices.Clone(left), id) // the next run looks whether something is left
		}
		var named loss
		if rerr := held.Release(ctx, left); rerr != nil && !(errors.Is(rerr, lock.ErrLost) && (errors.Is(err, lock.ErrLost) || errors.As(err, &named))) {
			err = errors.Join(err, rerr)
		}
	}()
	run := p.run(id)
	run.Lock = held
	if err = p.recover(ctx, &lake.Recovery{Run: run, Dead: left}, false, held.OfProcess()); err == nil {
		left = nil
		done, err = p.jobs(ctx, run, held, jobs)
		if err == nil && p.Describe != nil {
			err = p.Describe(ctx)
		}
	}
	err = lost(ctx, held, err)
	record := history.Record{Run: report.Run{Run: id, Jobs: done}, Asked: jobs, Began: began.UTC(), Seconds: p.Now().Sub(began).Seconds(),
		Version: p.Version, Host: self.Host, PID: self.PID, Settings: p.Settings}
	p.keep(ctx, record, err)
	return done, err
}

// loss is an error of a run that lost its lock, or its place in the warehouse, in words.
type loss struct {
	text   string
	reason error // for errors.Is; nil when nobody holds the lock
}

func (e loss) Error() string { return e.text }
func (e loss) Unwrap() error { return e.reason }

// lost names the true reason of an error that a lost lock brought about.
func lost(ctx context.Context, held *lock.Lock, err error) error {
	var named loss
	fenced, over := errors.Is(err, kpi.ErrFenced), errors.Is(err, lock.ErrLost) || errors.Is(context.Cause(ctx), lock.ErrLost)
	if err == nil || !fenced && !over || errors.As(err, &named) {
		return err
	}
	overtaken, unknown := held.Overtaken(ctx)
	switch {
	case overtaken || fenced && unknown != nil:
		if errors.Is(err, lock.ErrLost) {
			return err
		}
		return fmt.Errorf("%w: %w", lock.ErrLost, err)
	case fenced:
		return loss{fmt.Sprintf("%v. But this run has the lock: its curated place is a copy, or was restored from an older state. "+
			"Let no other copy load this warehouse, have it forget the lake (DELETE FROM mss_fence WHERE lake = '%s'), and run it again",
			err, held.Lake()), err}
	}
	// Not lock.ErrHeld: nobody else does the work, as far as is known, so trying again is on the user.
	return loss{fmt.Sprintf("the lease on the lock ran out, as when the machine stands still or the place does not answer; nobody is known to have taken it over, so run it again (%v)", err), nil}
}

func (p *Pipeline) run(id string) *lake.Run {
	return &lake.Run{ID: id, Semantics: p.Semantics, Foreign: p.Foreign, MaxRejectRatio: p.MaxRejectRatio, Full: p.Full,
		Threads: p.Threads, Log: p.Log.With("run", id), Progress: p.Progress}
}

// jobs runs the jobs in order.
func (p *Pipeline) jobs(ctx context.Context, run *lake.Run, held *lock.Lock, jobs []string) (done []report.Job, err error) {
	if slices.Contains(jobs, Integrate) {
		if err := p.integrate(run).Check(ctx); err != nil {
			return nil, fmt.Errorf("job %s: %w", Integrate, err)
		}
	}
	for _, name := range jobs {
		start := p.Now()
		r, err := p.job(ctx, run, held, name)
		p.Progress.Stop()
		r.Job = name
		if r.Seconds == 0 {
			r.Finish(p.Now().Sub(start))
		}
		done = append(done, r)
		if err != nil {
			return done, fmt.Errorf("job %s: %w", name, err)
		}
	}
	return done, nil
}

func (p *Pipeline) job(ctx context.Context, run *lake.Run, held *lock.Lock, name string) (report.Job, error) {
	switch name {
	case Metadata:
		return p.metadata(run).Execute(ctx)
	case Integrate:
		return p.integrate(run).Execute(ctx)
	case KPI:
		warehouse, err := p.OpenWarehouse(ctx, run.Log)
		if err != nil {
			return report.Job{}, err
		}
		job := p.kpi(run, warehouse)
		// Where the operating system holds the lock, a run that was taken over is dead.
		job.Load.Fence = kpi.Fence{Lake: held.Lake(), Token: held.Token(), Run: run.ID, Raise: !held.OfProcess()}
		r, err := job.Execute(ctx)
		return r, errors.Join(err, warehouse.Close())
	}
	return report.Job{}, fmt.Errorf("%w: there is no job %q", lake.ErrUsage, name)
}

func (p *Pipeline) metadata(run *lake.Run) *metadata.Job {
	return &metadata.Job{Raw: p.Raw, Curated: p.Curated, Run: run}
}

func (p *Pipeline) integrate(run *lake.Run) *integrate.Job {
	return &integrate.Job{Raw: p.Raw, Curated: p.Curated, Run: run, Options: p.Integrate}
}

func (p *Pipeline) kpi(run *lake.Run, w kpi.Warehouse) *kpi.Job {
	return &kpi.Job{Curated: p.Curated, Analytics: p.Analytics, Warehouse: w, Run: run,
		Load: kpi.LoadOptions{Always: p.Full, KeepStale: p.KeepStale}}
}

// keep writes the record of a run. That it cannot is no reason to call the run a failure.
func (p *Pipeline) keep(ctx context.Context, r history.Record, err error) {
	r.Outcome = report.Done
	if p.ExitCode != nil {
		r.Exit = p.ExitCode(err)
		r.Outcome = report.Outcome(r.Exit)
	}
	if err != nil {
		r.Error = err.Error()
	}
	for _, j := range r.Jobs {
		r.Inputs = append(r.Inputs, j.Inputs...)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := history.Write(ctx, p.Curated, r); err != nil {
		p.Log.Warn("the run is not in the history", "error", err)
	}
}

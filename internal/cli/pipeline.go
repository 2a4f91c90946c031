package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mss/internal/blob"
	"mss/internal/config"
	"mss/internal/integrate"
	"mss/internal/kpi"
	"mss/internal/lake"
	"mss/internal/metadata"
	"mss/internal/report"
	"mss/internal/schema"
)

// job is one of the three jobs: its name, and how to run it on the configured places.
type job struct {
	name string
	run  func(context.Context, *config.Config, *lake.Run) (report.Job, error)
}

var (
	metadataJob  = job{"metadata", runMetadata}
	integrateJob = job{"integrate", runIntegrate}
	kpiJob       = job{"kpi", runKPI}
)

// pipeline runs the jobs in order, up to the first that fails. The figures of that one are returned too.
func (a *app) pipeline(ctx context.Context, cfg *config.Config, id string, jobs []job) ([]report.Job, error) {
	progress := newProgress(a.console, cfg)
	defer progress.Stop()
	run := &lake.Run{
		ID:             id,
		Semantics:      schema.Semantics(cfg.Semantics),
		Foreign:        lake.Foreign(cfg.Foreign),
		MaxRejectRatio: cfg.MaxRejectRatio,
		Threads:        workers(cfg),
		Log:            a.log.With("run", id),
		Progress:       progress,
	}
	var done []report.Job
	for _, j := range jobs {
		start := time.Now()
		r, err := j.run(ctx, cfg, run)
		progress.Stop()
		r.Job = j.name
		if r.Seconds == 0 {
			r.Finish(time.Since(start))
		}
		done = append(done, r)
		if err != nil {
			return done, fmt.Errorf("job %s: %w", j.name, err)
		}
	}
	return done, nil
}

// workerMemory is about what a worker of integrate holds: a chunk's plays, sorted and not, and its row group, encoded.
const workerMemory = 96 << 20

// workers is the number of workers: the configured threads, but no more than the memory limit has buffers for.
func workers(cfg *config.Config) int {
	if cfg.MemoryLimit <= 0 {
		return cfg.Threads
	}
	return int(max(1, min(int64(cfg.Threads), cfg.MemoryLimit/workerMemory)))
}

func runMetadata(ctx context.Context, cfg *config.Config, run *lake.Run) (report.Job, error) {
	raw, curated, err := openTwo(ctx, cfg, cfg.Raw, cfg.Curated)
	if err != nil {
		return report.Job{}, err
	}
	return (&metadata.Job{Raw: raw, Curated: curated, Run: run}).Execute(ctx)
}

func runIntegrate(ctx context.Context, cfg *config.Config, run *lake.Run) (report.Job, error) {
	raw, curated, err := openTwo(ctx, cfg, cfg.Raw, cfg.Curated)
	if err != nil {
		return report.Job{}, err
	}
	return (&integrate.Job{Raw: raw, Curated: curated, Run: run}).Execute(ctx)
}

// runKPI opens the warehouse only now: a serverless one would drop a connection that waits for the jobs before.
func runKPI(ctx context.Context, cfg *config.Config, run *lake.Run) (report.Job, error) {
	curated, analytics, err := openTwo(ctx, cfg, cfg.Curated, cfg.Analytics)
	if err != nil {
		return report.Job{}, err
	}
	warehouse, err := openWarehouse(ctx, cfg, run.Log, false)
	if err != nil {
		return report.Job{}, err
	}
	r, err := (&kpi.Job{
		Curated: curated, Analytics: analytics, Warehouse: warehouse, Run: run,
		Load: kpi.LoadOptions{Always: cfg.Full, KeepStale: cfg.KeepStale},
	}).Execute(ctx)
	return r, errors.Join(err, warehouse.Close())
}

func openTwo(ctx context.Context, cfg *config.Config, first, second string) (one, two blob.Bucket, err error) {
	if one, err = openPlace(ctx, cfg, first); err != nil {
		return nil, nil, err
	}
	if two, err = openPlace(ctx, cfg, second); err != nil {
		return nil, nil, err
	}
	return one, two, nil
}

package cli

import (
	"context"
	"log/slog"

	"mss/internal/catalog"
	"mss/internal/config"
	"mss/internal/integrate"
	"mss/internal/lake"
	"mss/internal/lock"
	"mss/internal/pipeline"
	"mss/internal/redshift"
	"mss/internal/report"
	"mss/internal/schema"
)

// pipeline is the configured lake, for a run that id names.
func (a *app) pipeline(ctx context.Context, cfg *config.Config, id string) (*pipeline.Pipeline, error) {
	places, err := openPlaces(ctx, cfg, id)
	if err != nil {
		return nil, err
	}
	byCopy, err := copyOptions(cfg, places.Temp)
	if err != nil {
		return nil, err
	}
	p := &pipeline.Pipeline{
		Places: places,
		OpenWarehouse: func(ctx context.Context, log *slog.Logger) (pipeline.Warehouse, error) {
			return openWarehouse(ctx, cfg, redshift.Options{Log: log, Copy: byCopy})
		},
		Semantics:      schema.Semantics(cfg.Semantics),
		Foreign:        lake.Foreign(cfg.Foreign),
		MaxRejectRatio: cfg.MaxRejectRatio,
		Full:           cfg.Full,
		Threads:        workers(cfg),
		Integrate:      integrate.Options{OnMissing: cfg.OnMissingSource, OnMetadata: cfg.OnMetadataChange},
		KeepStale:      cfg.KeepStale,
		Lock:           lock.Options{Wait: cfg.LockWait, TTL: cfg.LockTTL},
		Version:        buildVersion().Version,
		Settings:       settingsOf(cfg),
		ExitCode:       exitCode,
		Log:            a.log,
		Progress:       report.NoProgress{},
		Now:            a.now,
	}
	if cfg.Catalog == "glue" {
		if err := checkCatalog(cfg); err != nil {
			return nil, err
		}
		p.Describe = func(ctx context.Context) error {
			_, err := withCatalog(ctx, cfg, catalog.Sync)
			return err
		}
	}
	return p, nil
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

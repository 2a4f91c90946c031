// Package kpi is the third job: genre and hourly KPIs of the enriched plays, into the warehouse and an audit copy.
package kpi

import (
	"context"
	"errors"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/report"
	"mss/internal/schema"
)

// Warehouse is where the KPI rows are served from.
type Warehouse interface {
	// Load makes the genre and hourly rows of kpi_table equal to rows, in one transaction. Unless always is set it
	// first compares, and does nothing when they are equal already. With keepStale, keys that no longer
	// occur stay. It returns whether rows were loaded.
	Load(ctx context.Context, rows []schema.KPI, opt LoadOptions) (loaded bool, err error)
}

// LoadOptions are the choices of a load.
type LoadOptions struct {
	Always    bool // --full: load even when nothing differs
	KeepStale bool // --keep-stale: leave genre and hourly keys that no longer occur
}

// Job computes the KPIs.
type Job struct {
	Curated, Analytics blob.Bucket
	Warehouse          Warehouse
	Load               LoadOptions
	Run                *lake.Run
}

// Execute runs the job.
func (j *Job) Execute(ctx context.Context) (report.Job, error) {
	return report.Job{Job: "kpi"}, errors.New("kpi: not built yet")
}

// Package integrate is the second job: every play, left-joined with its songs and its user.
package integrate

import (
	"context"
	"errors"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/report"
)

// Job joins the plays of streams/ with the metadata of job one.
type Job struct {
	Raw, Curated blob.Bucket
	Run          *lake.Run
}

// Execute runs the job.
func (j *Job) Execute(ctx context.Context) (report.Job, error) {
	return report.Job{Job: "integrate"}, errors.New("integrate: not built yet")
}

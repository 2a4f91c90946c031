// Package report holds what a run tells: the figures of each job, and its progress while it works.
package report

import "time"

// Job is the outcome of one job. Its JSON form is the interface of --output json.
type Job struct {
	Job          string           `json:"job"` // metadata, integrate or kpi
	RowsIn       int64            `json:"rows_in"`
	RowsOut      int64            `json:"rows_out"`
	Plays        int64            `json:"plays"`
	Rejected     map[string]int64 `json:"rejected"`  // by reason
	Collapsed    int64            `json:"collapsed"` // duplicate metadata rows
	Sources      map[string]int   `json:"sources"`   // raw objects, by what was done with them: new, replaced, unchanged, …
	Total        Total            `json:"total"`     // what is there after the job, whenever it was read
	BytesRead    int64            `json:"bytes_read"`
	BytesWritten int64            `json:"bytes_written"`
	Objects      int              `json:"objects"` // data objects written
	Seconds      float64          `json:"seconds"`
	RowsPerS     float64          `json:"rows_per_s"`
	Inputs       []Input          `json:"-"` // what was read; the history has it
}

// Input is an object that a job read, and why.
type Input struct {
	Key  string `json:"key"`
	Size int64  `json:"size"` // bytes
	ETag string `json:"etag"`
	Why  string `json:"why"` // as in Sources
}

// Total counts what a dataset consists of: of the job's figures, those that are not of this run alone.
type Total struct {
	Sources   int   `json:"sources"`
	RowsIn    int64 `json:"rows_in"`
	RowsOut   int64 `json:"rows_out"`
	Plays     int64 `json:"plays"`
	Rejected  int64 `json:"rejected"`
	Collapsed int64 `json:"collapsed"`
}

// RejectedTotal is the sum over all reasons.
func (j Job) RejectedTotal() int64 {
	var n int64
	for _, v := range j.Rejected {
		n += v
	}
	return n
}

// Finish fills in the duration and the rate.
func (j *Job) Finish(d time.Duration) {
	j.Seconds = d.Seconds()
	if j.Seconds > 0 {
		j.RowsPerS = float64(j.RowsIn) / j.Seconds
	}
}

// Outcomes of a run.
const (
	Done        = "done"
	Failed      = "failed"
	Refused     = "refused" // data quality
	Locked      = "locked"
	Interrupted = "interrupted"
)

// Outcome is the word for an exit code.
func Outcome(exit int) string {
	switch exit {
	case 0:
		return Done
	case 3:
		return Refused
	case 4:
		return Locked
	case 130:
		return Interrupted
	}
	return Failed
}

// Run is the outcome of a whole command: the document of --output json.
type Run struct {
	Run     string `json:"run"`
	Outcome string `json:"outcome"`
	Jobs    []Job  `json:"jobs"`
	Error   string `json:"error,omitempty"`
}

// Progress is told how the work goes on. Its methods may be called concurrently and often.
type Progress interface {
	// Start begins a job of totalBytes bytes to read; 0 when that is not known.
	Start(job string, totalBytes int64)
	// Add reports that rows more rows, of bytes bytes, are done.
	Add(rows, bytes int64)
	// Stop ends the job's display.
	Stop()
}

// NoProgress shows nothing.
type NoProgress struct{}

// Start does nothing.
func (NoProgress) Start(string, int64) {}

// Add does nothing.
func (NoProgress) Add(int64, int64) {}

// Stop does nothing.
func (NoProgress) Stop() {}

// Package history keeps a record of each run beside the data: _mss/runs/<run>.json of the curated place.
package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/report"
)

// Record is what is known of a run when it has ended.
type Record struct {
	Format int `json:"format"`
	report.Run
	Asked    []string       `json:"asked"` // the jobs
	Began    time.Time      `json:"began"`
	Seconds  float64        `json:"seconds"`
	Exit     int            `json:"exit"`
	Version  string         `json:"version"`
	Host     string         `json:"host"`
	PID      int            `json:"pid"`
	Settings []Setting      `json:"settings"` // secrets are masked
	Inputs   []report.Input `json:"inputs"`   // what was read, and why
}

// Setting is a setting of the run, and where it came from.
type Setting struct {
	Name   string `json:"setting"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

const (
	prefix = "_mss/runs/"
	format = 1
)

// Write keeps a record.
func Write(ctx context.Context, curated blob.Bucket, r Record) error {
	r.Format = format
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if _, err := curated.Write(ctx, prefix+r.Run.Run+".json", append(data, '\n'), blob.Cond{}); err != nil {
		return fmt.Errorf("keep the record of the run: %w", err)
	}
	return nil
}

// ErrNoRun is about a run that there is no record of.
var ErrNoRun = errors.New("there is no record of this run")

// Read gives the record of a run. A name may be cut short at its end, as long as it is that of one run alone.
func Read(ctx context.Context, curated blob.Bucket, run string) (Record, error) {
	found, err := list(ctx, curated, prefix+run)
	if err != nil {
		return Record{}, err
	}
	switch {
	case len(found) == 0 || run == "":
		return Record{}, fmt.Errorf("%w: %q in %s; `mss history` lists them", ErrNoRun, run, curated)
	case len(found) > 1 && found[0] != prefix+run+".json":
		return Record{}, fmt.Errorf("%w: %q is the beginning of %d runs in %s; write more of the name", ErrNoRun, run, len(found), curated)
	}
	return read(ctx, curated, found[0])
}

// Last gives the records of the last n runs, the newest first, and says which of them cannot be read.
func Last(ctx context.Context, curated blob.Bucket, n int) (records []Record, damaged []error, err error) {
	found, err := list(ctx, curated, prefix)
	if err != nil {
		return nil, nil, err
	}
	slices.Reverse(found) // names begin with the time
	found = found[:min(n, len(found))]
	records, damaged = make([]Record, len(found)), make([]error, len(found))
	var group errgroup.Group
	group.SetLimit(8)
	for i, key := range found {
		group.Go(func() (err error) {
			records[i], err = read(ctx, curated, key)
			if errors.Is(err, errDamaged) {
				damaged[i], err = err, nil
			}
			return err
		})
	}
	err = group.Wait()
	// Of two runs that began in one second, the names tell no order.
	slices.SortStableFunc(records, func(a, b Record) int { return b.Began.Compare(a.Began) })
	records = slices.DeleteFunc(records, func(r Record) bool { return r.Format == 0 })
	return records, slices.DeleteFunc(damaged, func(err error) bool { return err == nil }), err
}

var errDamaged = errors.New("is damaged, or a newer version's")

func list(ctx context.Context, curated blob.Bucket, prefix string) (keys []string, err error) {
	all, err := curated.List(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	for _, o := range all {
		if strings.HasSuffix(o.Key, ".json") {
			keys = append(keys, o.Key)
		}
	}
	return keys, nil
}

func read(ctx context.Context, curated blob.Bucket, key string) (r Record, err error) {
	data, _, err := curated.ReadAll(ctx, key)
	if err != nil {
		return r, fmt.Errorf("read the record of a run: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Format < 1 || r.Format > format {
		return Record{}, fmt.Errorf("read the record of a run: %s in %s %w; delete it, or use a newer mss", key, curated, errDamaged)
	}
	return r, nil
}

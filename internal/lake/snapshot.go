package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mss/internal/blob"
	"mss/internal/schema"
)

// snapshotFormat is raised when old releases could not read a snapshot any more.
const snapshotFormat = 1

// Snapshot is the one document that says which objects a dataset consists of.
type Snapshot struct {
	Format    int              `json:"format"`
	Dataset   string           `json:"dataset"`
	Run       string           `json:"run"`
	Semantics schema.Semantics `json:"semantics"`
	Plays     int64            `json:"plays,omitempty"`
	// Incomplete says that a run was killed while it published, so that some objects are of that run and some of the one before.
	Incomplete bool    `json:"incomplete,omitempty"`
	Objects    []Entry `json:"objects"` // in the order of their keys

	etag string // of the document, for its conditional replacement
}

// Entry is one data object of a snapshot.
type Entry struct {
	Key    string  `json:"key"`
	Size   int64   `json:"size"`
	ETag   string  `json:"etag"`   // as the place gave it when the object was published
	CRC32C string  `json:"crc32c"` // of the whole object, hexadecimal
	Rows   int64   `json:"rows"`
	Plays  int64   `json:"plays,omitempty"` // rows with is_primary
	Source *Source `json:"source,omitempty"`
	// Metadata identifies the songs and users that plays were joined with, and the semantics.
	Metadata string `json:"metadata,omitempty"`
	// First and Last are the times of the first and the last play, as YYYY-MM-DD HH:MM:SS.ffffff; "" without plays.
	First string `json:"first_play,omitempty"`
	Last  string `json:"last_play,omitempty"`
}

// Source is the raw object that a data object was made from.
type Source struct {
	Key      string           `json:"key"`
	Size     int64            `json:"size"`
	ETag     string           `json:"etag"`
	Hash     string           `json:"hash,omitempty"` // of its bytes, see ingest.Part; for when the ETag leaves a doubt
	Weak     bool             `json:"weak,omitempty"` // an equal ETag leaves a doubt, see blob.Object
	Rows     int64            `json:"rows"`           // records read, rejects included
	Rejected map[string]int64 `json:"rejected,omitempty"`
}

// TotalRejected counts the rejected rows.
func (s *Source) TotalRejected() int64 {
	var n int64
	for _, k := range s.Rejected {
		n += k
	}
	return n
}

// Entry gives the snapshot's entry of a key; nil when it has none, or there is no snapshot.
func (s *Snapshot) Entry(key string) *Entry {
	if s == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(s.Objects, key, func(e Entry, k string) int { return strings.Compare(e.Key, k) })
	if !ok {
		return nil
	}
	return &s.Objects[i]
}

// Snapshot reads the dataset's snapshot; nil when there is none.
func (d Dataset) Snapshot(ctx context.Context) (*Snapshot, error) {
	data, obj, err := d.Bucket.ReadAll(ctx, d.snapshotKey())
	if errors.Is(err, blob.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the snapshot of %s: %w", d, err)
	}
	var s Snapshot
	if err := json.Unmarshal(data, &s); err != nil || s.Dataset != d.Name {
		return nil, fmt.Errorf("read the snapshot of %s: %s is damaged; restore it from a copy, or delete it and run the job again with --foreign remove, which makes the objects anew, but gives up plays whose raw objects are gone", d, d.snapshotKey())
	}
	if s.Format > snapshotFormat {
		return nil, fmt.Errorf("read the snapshot of %s: it has format %d, this mss knows up to %d; use a newer mss", d, s.Format, snapshotFormat)
	}
	s.etag = obj.ETag
	return &s, nil
}

// Require reads the snapshot that a job needs as input, made under the run's semantics.
func (d Dataset) Require(ctx context.Context, run *Run, job string) (*Snapshot, error) {
	s, err := run.Snapshot(ctx, d)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("%w: there is no %s yet; run `mss run %s` first", ErrUsage, d, job)
	}
	return s, s.Check(run, d, job)
}

// Check refuses input that was made under other semantics than the run's, or that is a mixture of two runs; job writes it.
func (s *Snapshot) Check(run *Run, d Dataset, job string) error {
	if s.Incomplete {
		return fmt.Errorf("read %s: a run was killed while it replaced the objects, so they are a mixture of two runs; `mss run %s` finishes the work", d, job)
	}
	if s.Semantics == run.Semantics {
		return nil
	}
	return fmt.Errorf("%w: %s was made with --semantics %s, this run has %s; run `mss run %s --semantics %s` first",
		ErrUsage, d, s.Semantics, run.Semantics, job, run.Semantics)
}

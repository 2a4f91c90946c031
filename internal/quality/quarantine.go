package quality

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"mss/internal/blob"
	"mss/internal/csvio"
)

// Quarantine keeps the rejected rows of one dataset: an object of JSON Lines for each source that has any.
type Quarantine struct {
	bucket blob.Bucket
	prefix string
	there  map[string]bool // keys of earlier runs
}

// Line is a line of a quarantine object.
type Line struct {
	Source    string  `json:"source"` // key of the raw object
	Line      int64   `json:"line"`   // physical line, the header is line 1
	Column    string  `json:"column"` // "" when the whole row is at fault
	Reason    string  `json:"reason"`
	Raw       *string `json:"raw,omitempty"`
	RawBase64 []byte  `json:"raw_base64,omitempty"` // where the row is not UTF-8
}

// OpenQuarantine opens the quarantine of a dataset under the curated place.
func OpenQuarantine(ctx context.Context, curated blob.Bucket, dataset string) (*Quarantine, error) {
	q := &Quarantine{bucket: curated, prefix: "quarantine/" + dataset + "/", there: map[string]bool{}}
	old, err := curated.List(ctx, q.prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s in %s: %w", q.prefix, curated, err)
	}
	for _, o := range old {
		q.there[o.Key] = true
	}
	return q, nil
}

// String names the place for people.
func (q *Quarantine) String() string { return q.prefix + " in " + q.bucket.String() }

// File collects the rejects of one source.
type File struct {
	q      *Quarantine
	source string
	key    string
	staged blob.Staged
	buf    bytes.Buffer
}

// File begins the rejects of a source; name is its key relative to the dataset's raw prefix.
func (q *Quarantine) File(source, name string) *File {
	return &File{q: q, source: source, key: q.prefix + name + ".jsonl"}
}

// Add appends rejects, whose lines count from 0 at line firstLine.
func (f *File) Add(ctx context.Context, firstLine int64, rejects []csvio.Reject) error {
	if len(rejects) == 0 {
		return nil
	}
	if f.staged == nil {
		var err error
		if f.staged, err = f.q.bucket.Stage(ctx, f.key); err != nil {
			return fmt.Errorf("write %s in %s: %w", f.key, f.q.bucket, err)
		}
	}
	f.buf.Reset()
	enc := json.NewEncoder(&f.buf)
	enc.SetEscapeHTML(false)
	for _, r := range rejects {
		l := Line{Source: f.source, Line: firstLine + r.Line, Column: r.Column, Reason: r.Reason}
		if utf8.Valid(r.Raw) {
			raw := string(r.Raw)
			l.Raw = &raw
		} else {
			l.RawBase64 = r.Raw
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	if _, err := f.staged.Write(f.buf.Bytes()); err != nil {
		return fmt.Errorf("write %s in %s: %w", f.key, f.q.bucket, err)
	}
	return nil
}

// Close publishes the source's rejects, or removes those of an earlier run when there are none now.
func (f *File) Close(ctx context.Context) error {
	if f.staged == nil {
		if !f.q.there[f.key] {
			return nil
		}
		if err := f.q.bucket.Delete(ctx, f.key); err != nil {
			return fmt.Errorf("remove %s in %s: %w", f.key, f.q.bucket, err)
		}
		return nil
	}
	err := f.staged.Close()
	if err == nil {
		_, err = f.staged.Publish(ctx, blob.Cond{})
	}
	if err != nil {
		return fmt.Errorf("write %s in %s: %w", f.key, f.q.bucket, err)
	}
	return nil
}

// Abort discards what was not closed yet.
func (f *File) Abort(ctx context.Context) {
	if f.staged != nil {
		_ = f.staged.Abort(context.WithoutCancel(ctx)) // the run has failed with a better error already
	}
}

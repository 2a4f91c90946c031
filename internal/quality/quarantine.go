package quality

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"mss/internal/blob"
	"mss/internal/csvio"
	"mss/internal/lake"
)

// Quarantine keeps the rejected rows of one dataset: an object of JSON Lines for each source that has any. The objects are
// published together with the dataset's, or when the run is refused.
type Quarantine struct {
	bucket blob.Bucket
	txn    *lake.Txn
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

// Key is that of the rejects of a source; name is the source's key relative to the dataset's raw prefix.
func Key(dataset, name string) string { return "quarantine/" + dataset + "/" + name + ".jsonl" }

// OpenQuarantine opens the quarantine of a dataset under the curated place, for the transaction that replaces the dataset.
func OpenQuarantine(ctx context.Context, curated blob.Bucket, txn *lake.Txn, dataset string) (*Quarantine, error) {
	q := &Quarantine{bucket: curated, txn: txn, prefix: "quarantine/" + dataset + "/", there: map[string]bool{}}
	old, err := curated.List(ctx, q.prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s in %s: %w", q.prefix, curated, err)
	}
	for _, o := range old {
		q.there[o.Key] = true
	}
	return q, nil
}

// Remove drops the rejects of a source that is no longer part of the dataset.
func (q *Quarantine) Remove(name string) {
	if key := q.prefix + name + ".jsonl"; q.there[key] {
		q.txn.RemoveBeside(key)
	}
}

// File collects the rejects of one source.
type File struct {
	q      *Quarantine
	source string
	name   string
	staged io.WriteCloser
	buf    bytes.Buffer
}

// File begins the rejects of a source; name is its key relative to the dataset's raw prefix.
func (q *Quarantine) File(source, name string) *File { return &File{q: q, source: source, name: name} }

// Add appends rejects, whose lines count from 0 at line firstLine.
func (f *File) Add(ctx context.Context, firstLine int64, rejects []csvio.Reject) error {
	if len(rejects) == 0 {
		return nil
	}
	if f.staged == nil {
		var err error
		if f.staged, err = f.q.txn.StageBeside(ctx, f.q.prefix+f.name+".jsonl"); err != nil {
			return err
		}
	}
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
		if f.buf.Len() > 1<<20 {
			if err := f.flush(); err != nil {
				return err
			}
		}
	}
	return f.flush()
}

func (f *File) flush() error {
	if _, err := f.staged.Write(f.buf.Bytes()); err != nil {
		return f.failed(err)
	}
	f.buf.Reset()
	return nil
}

// Close ends the source's rejects. When there are none now, those of an earlier run go.
func (f *File) Close() error {
	if f.staged == nil {
		f.q.Remove(f.name)
		return nil
	}
	if err := f.staged.Close(); err != nil {
		return f.failed(err)
	}
	return nil
}

// Drop discards the source's rejects.
func (f *File) Drop(ctx context.Context) error {
	if f.staged == nil {
		return nil
	}
	return f.q.txn.DropBeside(ctx, f.q.prefix+f.name+".jsonl")
}

func (f *File) failed(err error) error {
	return fmt.Errorf("write %s%s.jsonl in %s: %w", f.q.prefix, f.name, f.q.bucket, err)
}

package lake

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/report"
)

// transfers is how many objects are published at a time: on S3 each takes some round trips. Closes is how many are closed at a time:
// each holds a buffer.
const (
	transfers = 16
	closes    = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Txn replaces objects of a dataset. They are staged, where no reader sees them, and published by Commit.
type Txn struct {
	d       Dataset
	run     *Run
	old     *Snapshot
	there   []blob.Object // the Parquet objects in the dataset's folder, when it began
	foreign []blob.Object // those that the snapshot does not list
	kept    []Entry
	objects []*Object
	pending *pending // as it was written last
	// pendingETag is that of the document that was written.
	pendingETag string

	announced map[string]bool // the keys that may be staged
	closing   errgroup.Group

	mu       sync.Mutex
	doubtful bool     // something may be staged that Abort does not know
	beside   []beside // objects outside the dataset that are published with it
	remove   []string // and those that are removed
}

var _ io.Writer = (*Object)(nil)

// Begin starts to replace objects of the dataset.
func (d Dataset) Begin(ctx context.Context, run *Run) (*Txn, error) {
	old, err := run.Snapshot(ctx, d)
	if err != nil {
		return nil, err
	}
	t := &Txn{d: d, run: run, old: old}
	t.closing.SetLimit(closes)
	if t.there, err = d.list(ctx); err != nil {
		return nil, err
	}
	for _, o := range t.there {
		if old.Entry(o.Key) == nil {
			t.foreign = append(t.foreign, o)
		}
	}
	return t, nil
}

// Old is the snapshot that is to be replaced; nil when there is none.
func (t *Txn) Old() *Snapshot { return t.old }

// listed gives the object that lay at a key in the beginning.
func (t *Txn) listed(key string) (blob.Object, bool) { return find(t.there, key) }

func find(sorted []blob.Object, key string) (blob.Object, bool) {
	i, ok := slices.BinarySearchFunc(sorted, key, func(o blob.Object, k string) int { return strings.Compare(o.Key, k) })
	if !ok {
		return blob.Object{}, false
	}
	return sorted[i], true
}

// Intact says whether the object of an entry of the old snapshot is there as it is listed. One that was copied, so that it has another
// ETag, is read to find out, and its entry then returned with that ETag.
func (t *Txn) Intact(ctx context.Context, e Entry) (Entry, bool, error) {
	obj, ok := t.listed(e.Key)
	if !ok || obj.Size != e.Size {
		return e, false, nil
	}
	if obj.ETag == e.ETag {
		return e, true, nil
	}
	got, err := t.d.checksum(ctx, obj)
	if err != nil || got != e.CRC32C {
		return e, false, err
	}
	e.ETag = obj.ETag
	return e, true, nil
}

// Keep takes an entry of the old snapshot over into the new one.
func (t *Txn) Keep(e Entry) { t.kept = append(t.kept, e) }

// CheckForeign is the error that stops a run before it publishes beside objects it does not know.
func (t *Txn) CheckForeign() error {
	if len(t.foreign) == 0 || t.run.Foreign != ForeignStop {
		return nil
	}
	var names []string
	for _, o := range t.foreign[:min(len(t.foreign), 10)] {
		names = append(names, o.Key)
	}
	more := ""
	if len(t.foreign) > 10 {
		more = fmt.Sprintf(" and %d more", len(t.foreign)-10)
	}
	return fmt.Errorf("publish %s: Parquet objects lie there that mss did not write, readers would count them too: %s%s; move them away, or say --foreign remove or --foreign ignore",
		t.d, strings.Join(names, ", "), more)
}

// HasForeign says whether there are foreign objects to be removed.
func (t *Txn) HasForeign() bool { return len(t.foreign) > 0 && t.run.Foreign == ForeignRemove }

// PlanForeign adds the foreign objects to a plan that are to be removed.
func (t *Txn) PlanForeign(p *report.Plan) {
	if !t.HasForeign() {
		return
	}
	p.Deletes += len(t.foreign)
	p.Foreign += len(t.foreign)
	for _, o := range t.foreign {
		p.Because = append(p.Because, fmt.Sprintf("%s, which mss did not write, is deleted, by --foreign remove", o.Key))
	}
}

// Ready waits until all objects are stored, still invisible, and checks what stops a publication.
func (t *Txn) Ready() error {
	if err := t.closing.Wait(); err != nil {
		return err
	}
	return t.CheckForeign()
}

// Commit publishes what was staged, and keeps what Keep was told of; other objects of the old snapshot go.
func (t *Txn) Commit(ctx context.Context) (*Snapshot, error) {
	if err := t.Ready(); err != nil {
		return nil, err
	}
	if err := t.run.check(); err != nil {
		return nil, err
	}
	s := &Snapshot{Format: snapshotFormat, Dataset: t.d.Name, Run: t.run.ID, Semantics: t.run.Semantics}
	p := &pending{Format: pendingFormat, Run: t.run.ID, Publishing: true, Snapshot: s}
	if t.pending != nil {
		p.Objects = t.pending.Objects
	}
	s.Objects = append([]Entry{}, t.kept...)
	for _, o := range t.objects {
		s.Objects = append(s.Objects, o.Entry)
		p.Staged = append(p.Staged, o.Key)
	}
	s.sum()
	p.Stale = t.stale(s)
	if err := t.writePending(ctx, p); err != nil {
		return nil, err
	}
	if err := t.PublishBeside(ctx); err != nil {
		return nil, err
	}
	var publish errgroup.Group
	publish.SetLimit(transfers)
	for _, o := range t.objects {
		publish.Go(func() error { return t.publish(ctx, o) })
	}
	if err := publish.Wait(); err != nil {
		return nil, err
	}
	for _, o := range t.objects {
		*s.Entry(o.Key) = o.Entry // now with its ETag
	}
	if err := t.run.check(); err != nil {
		return nil, err
	}
	t.run.snapshots.Delete(t.d.snapshotKey())
	if err := t.d.replaceSnapshot(ctx, t.old, s); err != nil {
		return nil, err
	}
	t.run.snapshots.Store(t.d.snapshotKey(), s)
	if err := t.d.deleteStale(ctx, t.run, p.Stale); err != nil {
		return nil, err
	}
	t.pending = nil
	return s, t.deletePending(ctx)
}

// publish makes a staged object visible, where nothing has changed since the beginning.
func (t *Txn) publish(ctx context.Context, o *Object) error {
	if err := t.run.check(); err != nil {
		return err
	}
	cond := blob.Cond{IfNone: true}
	if there, ok := t.listed(o.Key); ok {
		cond = blob.Cond{IfMatch: there.ETag}
	}
	obj, err := o.staged.Publish(ctx, cond)
	if errors.Is(err, blob.ErrPrecondition) {
		return fmt.Errorf("publish %s in %s: another run or program replaced it meanwhile; run the job again: %w", o.Key, t.d.Bucket, err)
	}
	if err != nil {
		return fmt.Errorf("publish %s in %s: %w", o.Key, t.d.Bucket, err)
	}
	o.ETag = obj.ETag
	return nil
}

// stale lists what is to be deleted: objects that mss wrote and the new snapshot does not list; with --foreign remove also what
// others wrote.
func (t *Txn) stale(s *Snapshot) []version {
	var out []version
	if t.old != nil {
		for _, e := range t.old.Objects {
			if obj, ok := t.listed(e.Key); ok && s.Entry(e.Key) == nil {
				out = append(out, version{obj.Key, obj.ETag})
			}
		}
	}
	if t.run.Foreign == ForeignRemove {
		for _, obj := range t.foreign {
			if s.Entry(obj.Key) == nil {
				out = append(out, version{obj.Key, obj.ETag})
			}
		}
	}
	return out
}

// Abort discards what was staged. After Commit it does nothing.
func (t *Txn) Abort(ctx context.Context) error {
	_ = t.closing.Wait() // whoever aborts has reported its error, or has a better one
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, o := range t.objects {
		errs = append(errs, o.staged.Abort(ctx))
	}
	for _, o := range t.beside {
		errs = append(errs, o.staged.Abort(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return err // pending.json stays, and names what may be left
	}
	if t.pending == nil || t.pending.Publishing || t.doubtful {
		return nil // objects may be published already, or still staged: a Recovery looks
	}
	t.pending = nil
	return t.deletePending(ctx)
}

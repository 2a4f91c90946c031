package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
)

// transfers is how many objects are closed or published at a time: on S3 each takes some round trips.
const transfers = 16

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Txn replaces a dataset. Objects are staged, where no reader sees them, and published by Commit.
type Txn struct {
	d       Dataset
	run     *Run
	old     *Snapshot
	ours    map[string]bool // keys that mss's own records name: the old snapshot, and what a run that was killed was about
	foreign []string
	objects []*Object
	closing errgroup.Group
}

// Object is a data object being staged. It is an io.Writer.
type Object struct {
	Entry
	staged blob.Staged
	crc    uint32
}

// Write appends to the object.
func (o *Object) Write(p []byte) (int, error) {
	o.crc = crc32.Update(o.crc, castagnoli, p)
	o.Size += int64(len(p))
	return o.staged.Write(p)
}

// Begin starts to replace the dataset. It stops where foreign Parquet objects lie in its folder, unless the run says otherwise.
func (d Dataset) Begin(ctx context.Context, run *Run) (*Txn, error) {
	old, err := d.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	t := &Txn{d: d, run: run, old: old, ours: map[string]bool{}}
	t.closing.SetLimit(transfers)
	pending, err := d.readPending(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range pending {
		t.ours[key] = true
	}
	if old != nil {
		for _, e := range old.Objects {
			t.ours[e.Key] = true
		}
	}
	if run.Foreign == ForeignIgnore {
		return t, nil
	}
	all, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if !t.ours[o.Key] {
			t.foreign = append(t.foreign, o.Key)
		}
	}
	return t, nil
}

// Published is the number of objects that the dataset has now.
func (t *Txn) Published() int {
	if t.old == nil {
		return 0
	}
	return len(t.old.Objects)
}

// Stage begins a data object, key being relative to the dataset's prefix. Write all of it, then call Finish.
func (t *Txn) Stage(ctx context.Context, key string) (*Object, error) {
	key = t.d.Prefix + key
	staged, err := t.d.Bucket.Stage(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("write %s in %s: %w", key, t.d.Bucket, err)
	}
	o := &Object{Entry: Entry{Key: key}, staged: staged}
	t.objects = append(t.objects, o)
	return o, nil
}

// Finish ends the content of a staged object. It works in the background: Commit waits for it.
func (t *Txn) Finish(o *Object) {
	o.CRC32C = fmt.Sprintf("%08x", o.crc)
	t.closing.Go(func() error {
		if err := o.staged.Close(); err != nil {
			return fmt.Errorf("write %s in %s: %w", o.Key, t.d.Bucket, err)
		}
		return nil
	})
}

// CheckForeign is the error that stops a run before it publishes beside objects it does not know.
func (t *Txn) CheckForeign() error {
	if len(t.foreign) == 0 || t.run.Foreign == ForeignRemove {
		return nil
	}
	names := t.foreign
	more := ""
	if len(names) > 10 {
		names, more = names[:10], fmt.Sprintf(" and %d more", len(t.foreign)-10)
	}
	return fmt.Errorf("publish %s: Parquet objects lie there that mss did not write, readers would count them too: %s%s; move them away, or say --foreign remove or --foreign ignore",
		t.d, strings.Join(names, ", "), more)
}

// Ready waits until all objects are stored, still invisible, and checks what stops a publication.
func (t *Txn) Ready() error {
	if err := t.closing.Wait(); err != nil {
		return err
	}
	return t.CheckForeign()
}

// Commit publishes: the data objects first, each in one step, then the snapshot that lists them, then it deletes those
// that the snapshot before listed and this one does not.
func (t *Txn) Commit(ctx context.Context) (*Snapshot, error) {
	if err := t.Ready(); err != nil {
		return nil, err
	}
	s := &Snapshot{Format: snapshotFormat, Dataset: t.d.Name, Run: t.run.ID, Semantics: t.run.Semantics, Objects: []Entry{}}
	if err := t.writePending(ctx); err != nil {
		return nil, err
	}
	var publish errgroup.Group
	publish.SetLimit(transfers)
	for _, o := range t.objects {
		publish.Go(func() error {
			obj, err := o.staged.Publish(ctx, blob.Cond{})
			if err != nil {
				return fmt.Errorf("publish %s in %s: %w", o.Key, t.d.Bucket, err)
			}
			o.ETag = obj.ETag
			return nil
		})
	}
	if err := publish.Wait(); err != nil {
		return nil, err
	}
	for _, o := range t.objects {
		s.Objects = append(s.Objects, o.Entry)
		s.Plays += o.Plays
	}
	slices.SortFunc(s.Objects, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	if err := t.d.replaceSnapshot(ctx, t.old, s); err != nil {
		return nil, err
	}
	if err := t.deleteStale(ctx, s); err != nil {
		return nil, err
	}
	return s, t.d.Bucket.Delete(ctx, t.d.pendingKey())
}

// replaceSnapshot writes the snapshot document on the condition that it still is the one that was read.
func (d Dataset) replaceSnapshot(ctx context.Context, old, s *Snapshot) error {
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	cond := blob.Cond{IfNone: true}
	if old != nil {
		cond = blob.Cond{IfMatch: old.etag}
	}
	obj, err := d.Bucket.Write(ctx, d.snapshotKey(), append(data, '\n'), cond)
	if errors.Is(err, blob.ErrPrecondition) {
		return fmt.Errorf("publish %s: another run replaced its snapshot meanwhile; run the job again: %w", d, err)
	}
	if err != nil {
		return fmt.Errorf("publish %s: write its snapshot: %w", d, err)
	}
	s.etag = obj.ETag
	return nil
}

// deleteStale deletes what mss wrote and the new snapshot does not list; with --foreign remove also what others wrote.
func (t *Txn) deleteStale(ctx context.Context, s *Snapshot) error {
	for _, e := range s.Objects {
		delete(t.ours, e.Key)
	}
	stale := slices.Sorted(maps.Keys(t.ours))
	if t.run.Foreign == ForeignRemove {
		for _, key := range t.foreign {
			if !slices.ContainsFunc(s.Objects, func(e Entry) bool { return e.Key == key }) {
				stale = append(stale, key)
			}
		}
	}
	if len(stale) == 0 {
		return nil
	}
	t.run.Log.Info("delete data objects that no longer belong to the dataset", "dataset", t.d.Name, "objects", len(stale))
	if err := t.d.Bucket.Delete(ctx, stale...); err != nil {
		return fmt.Errorf("publish %s: delete stale objects: %w", t.d, err)
	}
	return nil
}

// A pending document names the objects that a run is about to publish or to delete: should it be killed before it is done,
// the next run knows them for mss's own.
func (d Dataset) pendingKey() string { return stateDir + d.Name + "/pending.json" }

func (d Dataset) readPending(ctx context.Context) ([]string, error) {
	data, _, err := d.Bucket.ReadAll(ctx, d.pendingKey())
	if errors.Is(err, blob.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the pending objects of %s: %w", d, err)
	}
	var keys []string
	if err := json.Unmarshal(data, &keys); err != nil {
		return nil, fmt.Errorf("read the pending objects of %s: %s is damaged; delete it and run the job again", d, d.pendingKey())
	}
	return keys, nil
}

func (t *Txn) writePending(ctx context.Context) error {
	for _, o := range t.objects {
		t.ours[o.Key] = true
	}
	keys := slices.Sorted(maps.Keys(t.ours))
	data, err := json.Marshal(keys)
	if err == nil {
		_, err = t.d.Bucket.Write(ctx, t.d.pendingKey(), data, blob.Cond{})
	}
	if err != nil {
		return fmt.Errorf("publish %s: write its pending objects: %w", t.d, err)
	}
	return nil
}

// Abort discards what was staged. After Commit it does nothing.
func (t *Txn) Abort(ctx context.Context) error {
	_ = t.closing.Wait() // whoever aborts has reported its error, or has a better one
	var errs []error
	for _, o := range t.objects {
		errs = append(errs, o.staged.Abort(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
}

var _ io.Writer = (*Object)(nil)

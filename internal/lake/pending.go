package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
)

// pending is what _mss/<dataset>/pending.json holds while a run works on a dataset.
type pending struct {
	Format  int        `json:"format"`
	Run     string     `json:"run"`
	Objects []intended `json:"objects"` // all that the run may stage, in the order of their keys
	// Publishing says that objects are being published. What follows is for then.
	Publishing bool      `json:"publishing,omitempty"`
	Snapshot   *Snapshot `json:"snapshot,omitempty"` // the one to come; the entries of staged objects have no ETag yet
	Staged     []string  `json:"staged,omitempty"`   // the keys of these
	Stale      []version `json:"stale,omitempty"`    // objects to delete behind the snapshot
}

// intended is a data object, and what lies beside the dataset and belongs to it.
type intended struct {
	Key    string `json:"key"`
	Beside string `json:"beside,omitempty"`
}

// names are the keys of all objects that were announced.
func (p *pending) names() map[string]bool {
	names := map[string]bool{}
	for _, o := range p.Objects {
		names[o.Key] = true
		if o.Beside != "" {
			names[o.Beside] = true
		}
	}
	return names
}

// version is one version of an object.
type version struct {
	Key  string `json:"key"`
	ETag string `json:"etag"`
}

const pendingFormat = 2 // format 1 was a bare list of keys

func (d Dataset) pendingKey() string { return stateDir + d.Name + "/pending.json" }

// readPending gives nil when no run is working on the dataset, and none was killed while it did.
func (d Dataset) readPending(ctx context.Context) (*pending, error) {
	data, _, err := d.Bucket.ReadAll(ctx, d.pendingKey())
	if errors.Is(err, blob.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the pending objects of %s: %w", d, err)
	}
	var p pending
	if json.Unmarshal(data, &p) != nil || p.Format != pendingFormat || p.Publishing && p.Snapshot == nil {
		return nil, fmt.Errorf("read the pending objects of %s: %s is damaged, or another version's; delete it and run the job again with --full", d, d.pendingKey())
	}
	return &p, nil
}

// writePending writes the document. Another run's is not overwritten: it is all that tells what that one left.
func (t *Txn) writePending(ctx context.Context, p *pending) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	cond := blob.Cond{IfNone: true}
	if t.pending != nil {
		cond = blob.Cond{IfMatch: t.pendingETag}
	}
	before := t.pending
	t.pending = p
	obj, err := t.d.Bucket.Write(ctx, t.d.pendingKey(), data, cond)
	if errors.Is(err, blob.ErrPrecondition) {
		t.pending = before
		if before != nil {
			return fmt.Errorf("publish %s: another run took over, and wrote %s; run the job again: %w", t.d, t.d.pendingKey(), err)
		}
		return fmt.Errorf("publish %s: a run that was killed left %s behind; run `mss clean`, then the job again: %w", t.d, t.d.pendingKey(), err)
	}
	if err != nil {
		return fmt.Errorf("publish %s: write its pending objects: %w", t.d, err)
	}
	t.pendingETag = obj.ETag
	return nil
}

// deletePending deletes the document, unless it is another run's, which took over. When it is not known whether ours was written, it
// stays: a Recovery looks.
func (t *Txn) deletePending(ctx context.Context) error {
	if t.pendingETag == "" {
		return nil
	}
	err := t.d.Bucket.DeleteVersion(ctx, blob.Object{Key: t.d.pendingKey(), ETag: t.pendingETag})
	if err != nil && !errors.Is(err, blob.ErrPrecondition) {
		return fmt.Errorf("publish %s: remove the list of its pending objects: %w", t.d, err)
	}
	return nil
}

func (d Dataset) deletePending(ctx context.Context) error {
	if err := d.Bucket.Delete(ctx, d.pendingKey()); err != nil {
		return fmt.Errorf("publish %s: remove the list of its pending objects: %w", d, err)
	}
	return nil
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

// sum puts the objects in order, and adds up their plays.
func (s *Snapshot) sum() {
	slices.SortFunc(s.Objects, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	s.Plays = 0
	for _, e := range s.Objects {
		s.Plays += e.Plays
	}
}

// deleteStale deletes objects while they are the versions that are known.
func (d Dataset) deleteStale(ctx context.Context, run *Run, stale []version) error {
	if len(stale) == 0 {
		return nil
	}
	run.Log.Info("delete data objects that no longer belong to the dataset", "dataset", d.Name, "objects", len(stale))
	var group errgroup.Group
	group.SetLimit(transfers)
	for _, v := range stale {
		group.Go(func() error {
			if err := run.check(); err != nil {
				return err
			}
			err := d.Bucket.DeleteVersion(ctx, blob.Object{Key: v.Key, ETag: v.ETag})
			if err != nil && !errors.Is(err, blob.ErrPrecondition) { // another version is not ours to delete
				return fmt.Errorf("publish %s: delete the stale %s: %w", d, v.Key, err)
			}
			return nil
		})
	}
	return group.Wait()
}

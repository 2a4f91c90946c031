package lake

import (
	"context"
	"fmt"
	"slices"

	"mss/internal/blob"
)

// Fix is something that a killed run left, and what is done about it.
type Fix struct {
	Place  string `json:"place"`
	Object string `json:"object"`
	Done   string `json:"done"` // as "discarded"
}

// Recovery finishes or undoes what killed runs left. The lock must be held.
type Recovery struct {
	Run  *Run
	Dead []string // the runs that may have left something
	Dry  bool     // only say what would be done
	// Fixes is what was done, or would be.
	Fixes []Fix
}

func (r *Recovery) fixed(b blob.Bucket, object, done string) {
	r.Fixes = append(r.Fixes, Fix{b.String(), object, done})
	if !r.Dry {
		r.Run.Log.Warn("a run that was killed left something: "+done, "place", b.String(), "object", object)
	}
}

// Staged discards what dead runs staged in a place, as far as the place knows the owners. In one that is the run's alone, all others are dead.
func (r *Recovery) Staged(ctx context.Context, b blob.Bucket, alone bool) error {
	return r.discard(ctx, b, func(u blob.Unfinished) bool {
		return u.Owner != "" && (slices.Contains(r.Dead, u.Owner) || alone && u.Owner != r.Run.ID)
	})
}

func (r *Recovery) discard(ctx context.Context, b blob.Bucket, ours func(blob.Unfinished) bool) error {
	all, err := b.Unfinished(ctx)
	if err != nil {
		return fmt.Errorf("clean up behind a killed run: %w", err)
	}
	for _, u := range all {
		if !ours(u) {
			continue
		}
		if !r.Dry {
			if err := b.Discard(ctx, u); err != nil {
				return fmt.Errorf("clean up behind a killed run: %w", err)
			}
		}
		name := u.Key
		if name == "" {
			name = u.ID
		}
		r.fixed(b, name, "discarded the staged object")
	}
	return nil
}

// Dataset repairs a dataset that a killed run was about to replace.
func (r *Recovery) Dataset(ctx context.Context, d Dataset) error {
	p, err := d.readPending(ctx)
	if err != nil || p == nil {
		return err
	}
	names := p.names()
	err = r.discard(ctx, d.Bucket, func(u blob.Unfinished) bool { return u.Owner == p.Run || names[u.Key] })
	if err != nil {
		return err
	}
	if p.Publishing {
		if err := r.finish(ctx, d, p); err != nil {
			return err
		}
	}
	if r.Dry {
		return nil
	}
	return d.deletePending(ctx)
}

// finish brings the snapshot in line with the objects that are there.
func (r *Recovery) finish(ctx context.Context, d Dataset, p *pending) error {
	now, err := d.Snapshot(ctx)
	if err != nil {
		return err
	}
	var odd []version
	if now == nil || now.Run != p.Run { // else only the deletions may be missing
		if now, odd, err = r.repair(ctx, d, p, now); err != nil {
			return err
		}
	} else if odd, err = d.unlisted(ctx, p, now); err != nil {
		return err
	}
	// A reject file whose source has come to no entry belongs to nothing.
	var orphans []string
	for _, o := range p.Objects {
		if o.Beside == "" || now.Entry(o.Key) != nil {
			continue
		}
		if _, err := d.Bucket.Stat(ctx, o.Beside); err == nil {
			orphans = append(orphans, o.Beside)
			r.fixed(d.Bucket, o.Beside, "deleted the rejects of a source that was not published")
		}
	}
	stale := odd
	if now != nil && now.Run == p.Run && !now.Incomplete { // else the run is undone, or not over
		stale = append(stale, p.Stale...)
	}
	stale = slices.DeleteFunc(stale, func(v version) bool { return now.Entry(v.Key) != nil })
	for _, v := range stale {
		if obj, err := d.Bucket.Stat(ctx, v.Key); err == nil && obj.ETag == v.ETag {
			r.fixed(d.Bucket, v.Key, "deleted the stale object")
		}
	}
	if r.Dry {
		return nil
	}
	if len(orphans) > 0 {
		if err := d.Bucket.Delete(ctx, orphans...); err != nil {
			return fmt.Errorf("clean up behind a killed run: %w", err)
		}
	}
	return d.deleteStale(ctx, r.Run, stale)
}

// unlisted gives the objects at keys of the run that an incomplete snapshot does not list: they were found odd, and a recovery before
// this one did not come to delete them.
func (d Dataset) unlisted(ctx context.Context, p *pending, now *Snapshot) (odd []version, err error) {
	if !now.Incomplete {
		return nil, nil
	}
	there, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range p.Staged {
		if obj, ok := find(there, key); ok && now.Entry(key) == nil {
			odd = append(odd, version{key, obj.ETag})
		}
	}
	return odd, nil
}

// repair writes a snapshot of what is there: of each object that was to be replaced, the old version or the new. Of one that is neither
// the old entry stays, so that the job finds it damaged: it reads the source again, or says that this is gone. Without an old
// entry it is odd: left out, and to be deleted.
func (r *Recovery) repair(ctx context.Context, d Dataset, p *pending, old *Snapshot) (now *Snapshot, odd []version, err error) {
	there, err := d.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	next := *p.Snapshot
	next.Objects = []Entry{}
	fresh, behind := 0, 0 // objects that were published, and that were not
	staged := map[string]bool{}
	for _, key := range p.Staged {
		staged[key] = true
	}
	for _, e := range p.Snapshot.Objects {
		if !staged[e.Key] {
			next.Objects = append(next.Objects, e)
			continue
		}
		obj, ok := find(there, e.Key)
		was := old.Entry(e.Key)
		same := false
		if ok && (was == nil || obj.ETag != was.ETag) {
			if same, err = d.sameBytes(ctx, obj, e); err != nil {
				return nil, nil, err
			}
		}
		switch {
		case same:
			fresh++
			e.ETag = obj.ETag
			next.Objects = append(next.Objects, e)
			continue
		case was != nil: // also where a copy gave it another ETag, or where it is gone: the job that writes it compares
			next.Objects = append(next.Objects, *was)
		case ok:
			odd = append(odd, version{e.Key, obj.ETag})
			r.fixed(d.Bucket, e.Key, "left out an object that the run did not write; its source will be read again")
		}
		behind++
	}
	if fresh == 0 && len(odd) == 0 && (behind > 0 || len(p.Staged) > 0) {
		r.fixed(d.Bucket, d.snapshotKey(), "nothing was published yet: left as it was")
		return old, nil, nil
	}
	next.Incomplete = behind > 0
	if old != nil && next.Incomplete { // what was to be deleted is still there, and belongs to it
		for _, e := range old.Objects {
			if _, ok := find(there, e.Key); ok && p.Snapshot.Entry(e.Key) == nil {
				next.Objects = append(next.Objects, e)
			}
		}
	}
	next.sum()
	done := "wrote the snapshot: all objects of the run were published"
	if next.Incomplete {
		done = fmt.Sprintf("wrote a snapshot of what is there: %d objects were published, %d were not; the job that writes them does the rest", fresh, behind)
	}
	r.fixed(d.Bucket, d.snapshotKey(), done)
	if r.Dry {
		return &next, odd, nil
	}
	return &next, odd, d.replaceSnapshot(ctx, old, &next)
}

// sameBytes says whether an object is the one of an entry.
func (d Dataset) sameBytes(ctx context.Context, obj blob.Object, e Entry) (bool, error) {
	if obj.Size != e.Size {
		return false, nil
	}
	got, err := d.checksum(ctx, obj)
	return got == e.CRC32C, err
}

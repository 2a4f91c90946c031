package lake

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
)

type beside struct {
	key    string
	staged blob.Staged
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

// Planned is a data object that a run may stage.
type Planned struct {
	Data   string // its key, relative to the dataset's prefix
	Beside string // the whole key of an object outside the dataset that belongs to it; "" when there is none
}

// Intend announces the objects that the run may stage, before it stages the first. Whoever finds some of them staged, after the run was
// killed, then knows whose they are.
func (t *Txn) Intend(ctx context.Context, plan []Planned) error {
	p := &pending{Format: pendingFormat, Run: t.run.ID}
	t.announced = map[string]bool{}
	for _, o := range plan {
		p.Objects = append(p.Objects, intended{t.d.Prefix + o.Data, o.Beside})
		t.announced[t.d.Prefix+o.Data], t.announced[o.Beside] = true, true
	}
	return t.writePending(ctx, p)
}

// Stage begins a data object, key being relative to the dataset's prefix. Write all of it, then call Finish.
func (t *Txn) Stage(ctx context.Context, key string) (*Object, error) {
	key = t.d.Prefix + key
	staged, err := t.stage(ctx, key)
	if err != nil {
		return nil, err
	}
	o := &Object{Entry: Entry{Key: key}, staged: staged}
	t.objects = append(t.objects, o)
	return o, nil
}

func (t *Txn) stage(ctx context.Context, key string) (blob.Staged, error) {
	if !t.announced[key] {
		return nil, fmt.Errorf("write %s in %s: it was not announced; this is a fault of mss", key, t.d.Bucket)
	}
	staged, err := t.d.Bucket.Stage(ctx, key)
	if err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.doubtful = true // it may have been staged, and nobody has it
		return nil, fmt.Errorf("write %s in %s: %w", key, t.d.Bucket, err)
	}
	return staged, nil
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

// Drop discards a staged object after Finish: it is not to be published after all.
func (t *Txn) Drop(ctx context.Context, o *Object) error {
	t.objects = slices.DeleteFunc(t.objects, func(p *Object) bool { return p == o })
	if err := t.closing.Wait(); err != nil {
		return err
	}
	return o.staged.Abort(ctx)
}

// StageBeside begins an object outside the dataset, in the same place, that is published together with it. Close it, then leave it.
func (t *Txn) StageBeside(ctx context.Context, key string) (io.WriteCloser, error) {
	staged, err := t.stage(ctx, key)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.beside = append(t.beside, beside{key, staged})
	return staged, nil
}

// DropBeside discards an object of StageBeside.
func (t *Txn) DropBeside(ctx context.Context, key string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, o := range t.beside {
		if o.key == key {
			t.beside = slices.Delete(t.beside, i, i+1)
			return o.staged.Abort(ctx)
		}
	}
	return nil
}

// RemoveBeside removes an object outside the dataset, together with the publication.
func (t *Txn) RemoveBeside(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove = append(t.remove, key)
}

// PublishBeside publishes what lies beside the dataset. Commit does it too; this is for a run that is refused.
func (t *Txn) PublishBeside(ctx context.Context) error {
	if err := t.run.check(); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(transfers)
	for _, o := range t.beside {
		group.Go(func() error {
			if _, err := o.staged.Publish(ctx, blob.Cond{}); err != nil {
				return fmt.Errorf("write %s in %s: %w", o.key, t.d.Bucket, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	t.beside = nil
	if len(t.remove) > 0 {
		if err := t.d.Bucket.Delete(ctx, t.remove...); err != nil {
			return fmt.Errorf("remove %s in %s: %w", strings.Join(t.remove, ", "), t.d.Bucket, err)
		}
		t.remove = nil
	}
	return nil
}

package kpi

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"mss/internal/kpi/state"
	"mss/internal/lake"
)

// maxUnwritten is how many bytes of states may wait until they are written.
const maxUnwritten = 8 << 20

// maxKeyFiles is how many files of keys there may be before they are written as one.
const maxKeyFiles = 8

// writer writes states in the background: on S3 each is a round trip, and to a disk each is synced.
type writer struct {
	store   *store
	buffers *buffers
	ctx     context.Context // ends when a write has failed
	group   *errgroup.Group
	room    *semaphore.Weighted

	mu     sync.Mutex
	states []objectState
}

func newWriter(ctx context.Context, s *store, b *buffers) *writer {
	w := &writer{store: s, buffers: b, room: semaphore.NewWeighted(maxUnwritten)}
	w.group, w.ctx = errgroup.WithContext(ctx)
	w.group.SetLimit(transfers)
	return w
}

// object writes the state of the data object of an entry. It waits while there is much to be written; it fails when another write has.
func (w *writer) object(e lake.Entry, data []byte) error {
	size := min(int64(len(data)), maxUnwritten)
	if w.room.Acquire(w.ctx, size) != nil {
		return context.Cause(w.ctx)
	}
	w.group.Go(func() error {
		defer w.room.Release(size)
		f, err := w.store.write(w.ctx, "state", data)
		w.buffers.put(data)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.states = append(w.states, objectState{e.Key, e.Size, e.CRC32C, f})
		return err
	})
	return nil
}

// total writes the total and the keys that are new, and puts them into the index. Nothing may be folded any more.
func (w *writer) total(t *state.Total, keys *state.Keys, x *index) {
	w.group.Go(func() (err error) {
		x.Total, err = w.store.write(w.ctx, "total", t.Encode())
		return err
	})
	from := x.Sizes
	x.Sizes = keys.Sizes()
	if len(x.Keys) >= maxKeyFiles {
		x.Keys, from = nil, state.Sizes{}
	}
	if x.Sizes == from {
		return
	}
	x.Keys = append(x.Keys[:len(x.Keys):len(x.Keys)], file{})
	w.group.Go(func() (err error) {
		x.Keys[len(x.Keys)-1], err = w.store.write(w.ctx, "keys", keys.Encode(from))
		return err
	})
}

// wait waits until all is written, and gives the states of objects. It may be called again.
func (w *writer) wait() ([]objectState, error) {
	err := w.group.Wait()
	return w.states, err
}

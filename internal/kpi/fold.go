package kpi

import (
	"context"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/kpi/state"
	"mss/internal/parquetio"
)

// foldObjects reads all row groups of the objects, and folds them into the totals. Done is called with each object's state, when it is
// complete; it may be nil.
func (w *work) foldObjects(ctx context.Context, objects []blob.Object, done func(context.Context, blob.Object, []byte) error) error {
	group, ctx := errgroup.WithContext(ctx)
	todo := make(chan rowGroup, w.threads())
	group.Go(func() error {
		defer close(todo)
		return openAll(ctx, w.data, objects, todo)
	})
	dicts := &parquetio.DictCache{}
	for i := range w.threads() {
		group.Go(func() error {
			f := worker{folder: state.NewFolder(w.totals[i%len(w.totals)], done != nil), dicts: dicts, buffers: &w.buffers}
			for rg := range todo {
				last, err := f.fold(ctx, rg)
				if last || err != nil {
					if cerr := rg.in.Close(); err == nil {
						err = cerr
					}
				}
				if err != nil {
					return fmt.Errorf("read %s: %s: %w", w.data, rg.obj.Key, err)
				}
				if rg.index >= 0 {
					w.job.Run.Progress.Add(rg.file.RowGroupRows(rg.index), rg.obj.Size/int64(rg.file.NumRowGroups()))
				}
				if last && done != nil {
					if err := done(ctx, rg.obj, rg.state); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// worker folds row groups.
type worker struct {
	folder  *state.Folder
	buffers *buffers

	// The fast way.
	runs     parquetio.RunReader
	dicts    *parquetio.DictCache
	runBatch state.Batch
	zip      zip
	hours    hourTable

	// The way for files of other writers.
	reader parquetio.BatchReader
	batch  batch
}

// fold folds a row group, and says whether its object is now complete.
func (w *worker) fold(ctx context.Context, rg rowGroup) (last bool, err error) {
	part := state.NewObject(w.buffers.get())
	if rg.index >= 0 {
		w.folder.Begin(rg.file.RowGroupRows(rg.index))
		ok, err := w.foldRuns(ctx, rg)
		if !ok && err == nil {
			err = w.foldBatches(ctx, rg)
		}
		if err != nil {
			return false, err
		}
		part = w.folder.End(part)
	}
	return rg.folded(part), nil
}

// foldBatches reads a row group as Arrow record batches: the way for files of any writer.
func (w *worker) foldBatches(ctx context.Context, rg rowGroup) error {
	if err := w.reader.Reset(rg.file, rg.index, columns); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := w.reader.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.batch.set(rec); err != nil {
			return err
		}
		if err := w.folder.Fold(&w.batch.out); err != nil {
			return err
		}
	}
}

// buffers are for states: each is used again when it has been written.
type buffers struct {
	mu   sync.Mutex
	free [][]byte
}

// get gives an empty one.
func (b *buffers) get() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.free)
	if n == 0 {
		return nil
	}
	buf := b.free[n-1]
	b.free = b.free[:n-1]
	return buf[:0]
}

func (b *buffers) put(buf []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, buf)
}

package kpi

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/kpi/state"
	"mss/internal/lake"
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
			f := worker{data: w.data, folder: state.NewFolder(w.totals[i%len(w.totals)], done != nil), dicts: dicts, buffers: &w.buffers}
			return f.run(ctx, todo, func(rg rowGroup, last bool) error {
				if rg.index >= 0 {
					w.job.Run.Progress.Add(rg.file.RowGroupRows(rg.index), rg.obj.Size/int64(rg.file.NumRowGroups()))
				}
				if last && done != nil {
					return done(ctx, rg.obj, rg.state)
				}
				return nil
			})
		})
	}
	err := group.Wait()
	for rg := range todo { // after an error
		rg.in.Close()
	}
	return err
}

// worker folds row groups.
type worker struct {
	data    lake.Dataset
	folder  *state.Folder
	buffers *buffers

	// The fast way.
	chunks   [2]parquetio.RunChunks // of the row group that is folded, and of the next one
	runs     parquetio.RunReader
	dicts    *parquetio.DictCache
	runBatch state.Batch
	zip      zip
	hours    hourTable

	// The way for files of other writers.
	reader parquetio.BatchReader
	batch  batch
}

// loaded is a row group that was read, or is being read.
type loaded struct {
	rowGroup
	chunks *parquetio.RunChunks
	fast   bool // they are for a RunReader
	err    error
	slow   bool          // it took long
	done   chan struct{} // closed when it is read
}

// nearRate is how many bytes a second a near disk gives at least.
const nearRate = 300 << 20

// load begins to read a row group.
func (w *worker) load(rg rowGroup, chunks *parquetio.RunChunks) *loaded {
	l := &loaded{rowGroup: rg, chunks: chunks, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		if rg.index < 0 {
			return
		}
		began := time.Now()
		l.fast, l.err = chunks.Load(rg.file, rg.index, runColumns)
		l.slow = time.Since(began).Seconds()*nearRate > float64(rg.obj.Size)/float64(rg.file.NumRowGroups())
	}()
	return l
}

// run folds row groups until there are no more. When reading takes long, as from S3, the next one is read while one is folded; from a near
// disk it is not worth the memory. Done is told of each, and whether its object is now complete.
func (w *worker) run(ctx context.Context, todo <-chan rowGroup, done func(rg rowGroup, last bool) error) error {
	var next *loaded
	defer func() {
		if next != nil { // after an error: its buffers, and its object, are in use until then
			<-next.done
			next.in.Close()
		}
	}()
	turn := 0 // of the chunks, whose row group is folded
	for {
		l := next
		if l != nil {
			next, turn = nil, 1-turn
		} else if rg, ok := <-todo; ok {
			l = w.load(rg, &w.chunks[turn])
		} else {
			return nil
		}
		<-l.done
		if l.slow {
			if rg, ok := <-todo; ok {
				next = w.load(rg, &w.chunks[1-turn])
			}
		}
		last, err := w.fold(ctx, l)
		if last || err != nil {
			if cerr := l.in.Close(); err == nil {
				err = cerr
			}
		}
		if err != nil {
			return fmt.Errorf("read %s: %s: %w", w.data, l.obj.Key, err)
		}
		if err := done(l.rowGroup, last); err != nil {
			return err
		}
	}
}

// fold folds a row group, and says whether its object is now complete.
func (w *worker) fold(ctx context.Context, l *loaded) (last bool, err error) {
	if l.err != nil {
		return false, l.err
	}
	part := state.NewObject(w.buffers.get())
	if l.index >= 0 {
		w.folder.Begin(l.file.RowGroupRows(l.index))
		ok := l.fast
		if ok {
			ok, err = w.foldRuns(ctx, l.chunks)
		}
		if !ok && err == nil {
			err = w.foldBatches(ctx, l.rowGroup)
		}
		if err != nil {
			return false, err
		}
		part = w.folder.End(part)
	}
	return l.folded(part), nil
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

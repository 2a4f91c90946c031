// Package ingest reads raw CSV objects with all cores, and hands their chunks over in order.
//
// An object is cut at fixed offsets (ChunkSize, 2·ChunkSize, …), so that the chunks, and with them the row groups of the
// output, depend on the input alone. Workers take the chunks of all objects in order; the results are emitted in order. A worker
// that begins in the middle of an object guesses that a record begins behind the first newline. Where the chunk before ends
// elsewhere (a quoted newline lay across the cut) the chunk is read again from the right place, so that the
// records are always those of one reading from the beginning.
//
// A gzipped object can only be read from its beginning: one worker reads all its chunks.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/csvio"
	"mss/internal/report"
	"mss/internal/schema"
)

// ChunkSize is the size of a chunk: about a million plays, which make one row group.
const ChunkSize = 48 << 20

// Worker scans chunks, one at a time. Collect reads the chunk that was begun to its end.
type Worker[T any] interface {
	csvio.Chunker
	Collect() (T, error)
}

// Part is a chunk's result.
type Part[T any] struct {
	Object  int // index in Objects
	Last    bool
	Value   T
	Line    int64 // physical line of the chunk's first record
	Records int64 // rows and rejects
	Rejects []csvio.Reject
	Hash    string // of the object's bytes, in its Last part; "" when some were not read. See SameBytes
}

// Reader reads objects of one table.
type Reader[T any] struct {
	Bucket    blob.Bucket
	Objects   []blob.Object
	Table     schema.Table
	Threads   int
	ChunkSize int64 // 0: the package's
	Progress  report.Progress
	NewWorker func() Worker[T]
	// Emit takes the parts in order, from one goroutine. Every object has at least one part, and one that is Last.
	Emit func(Part[T]) error
}

// task is one chunk, or a whole gzipped object. Its parts are sent to out, which is then closed.
type task[T any] struct {
	file  *file
	start int64
	end   int64
	last  bool
	out   chan scanned[T]
}

// scanned is a part whose place in the object is not checked yet.
type scanned[T any] struct {
	value      T
	start, end int64 // of the records; -1 when there is none
	lines      int64
	records    int64
	rejects    []csvio.Reject
	sums       []byte // hashes of the chunk's bytes; of a gzipped object's, in its last part
	hashed     bool   // all bytes are in sums
	last       bool
}

// Read reads all objects, and closes them, also after an error.
func (r *Reader[T]) Read(ctx context.Context) error {
	if r.ChunkSize == 0 {
		r.ChunkSize = ChunkSize
	}
	threads := max(1, min(r.Threads, r.chunks()))
	group, ctx := errgroup.WithContext(ctx)
	queue := make(chan *task[T])
	order := make(chan *task[T], threads) // bounds how many finished chunks wait for their turn
	var files []*file
	group.Go(func() error {
		defer close(queue)
		defer close(order)
		for i, obj := range r.Objects {
			f := newFile(r.Bucket, obj, i, r.Table)
			files = append(files, f)
			for start := int64(0); ; start += r.ChunkSize {
				t := &task[T]{file: f, start: start, end: start + r.ChunkSize, out: make(chan scanned[T], 1)}
				t.last = f.gzip || t.end >= obj.Size
				for _, to := range []chan *task[T]{order, queue} {
					select {
					case to <- t:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				if t.last {
					break
				}
			}
		}
		return nil
	})
	for range threads {
		group.Go(func() error {
			w := r.NewWorker()
			for t := range queue {
				if err := r.run(ctx, w, t); err != nil {
					return r.failed(t.file.obj.Key, err)
				}
			}
			return nil
		})
	}
	group.Go(func() error { return r.emitAll(ctx, order) })
	err := group.Wait()
	for _, f := range files { // those that were read to their end are closed already
		err = errors.Join(err, f.close())
	}
	return err
}

// chunks counts the pieces of work.
func (r *Reader[T]) chunks() (n int) {
	for _, o := range r.Objects {
		n++
		if !isGzip(o.Key) {
			n += int(max(0, o.Size-1) / r.ChunkSize)
		}
	}
	return n
}

// run scans the chunks of a task.
func (r *Reader[T]) run(ctx context.Context, w Worker[T], t *task[T]) error {
	defer close(t.out)
	send := func(s scanned[T]) error {
		select {
		case t.out <- s:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l, err := t.file.layout(ctx)
	if err != nil {
		return err
	}
	if l.Empty {
		return send(scanned[T]{start: -1, end: -1, last: true, hashed: t.file.obj.Size == 0})
	}
	chunk := csvio.Chunk{Start: t.start, End: t.end}
	if t.start <= l.Start {
		chunk.Start, chunk.Aligned = l.Start, true
	}
	d := newDigest(t.start, min(t.end, t.file.obj.Size), r.ChunkSize)
	if t.file.gzip {
		d = newDigest(0, t.file.obj.Size, r.ChunkSize)
	}
	in, err := t.file.reader(ctx, chunk.ReadFrom(), t.end, r.Progress, d)
	if err != nil {
		return err
	}
	defer in.Close()
	w.Reset(in, l, chunk)
	for {
		s, err := collect(w)
		if err != nil {
			return err
		}
		s.last = t.last && (!t.file.gzip || w.Done())
		if !t.file.gzip || s.last {
			s.sums, s.hashed = d.complete()
		}
		if err := send(s); err != nil {
			return err
		}
		if !t.file.gzip || s.last {
			return nil
		}
		t.end += r.ChunkSize
		w.Continue(t.end)
	}
}

func collect[T any](w Worker[T]) (s scanned[T], err error) {
	s.value, err = w.Collect()
	s.start, s.end, s.lines, s.records, s.rejects = w.Start(), w.End(), w.Lines(), w.Records(), w.Rejects()
	return s, err
}

// emitAll takes the tasks in order, checks that each chunk begins where the one before it ended, and emits.
func (r *Reader[T]) emitAll(ctx context.Context, order <-chan *task[T]) error {
	var spare Worker[T] // reads chunks again
	var next, line int64
	var sums []byte
	hashed := true
	for t := range order {
		if t.start == 0 {
			next, line, sums, hashed = -1, 0, sums[:0], true
		}
		for last := false; !last; {
			s, ok, err := receive(ctx, t)
			if err != nil || !ok {
				return err // the worker that failed says why
			}
			if next < 0 {
				l, err := t.file.layout(ctx) // known by now
				if err != nil {
					return err
				}
				next, line = l.Start, 1+l.Lines
			}
			last = s.last || !t.file.gzip
			sums = append(sums, s.sums...)
			hashed = hashed && (s.hashed || !last)
			if !t.file.gzip && s.start != next && (s.start >= 0 || next < t.end) {
				if spare == nil {
					spare = r.NewWorker()
				}
				if s, err = r.again(ctx, spare, t, next); err != nil {
					return r.failed(t.file.obj.Key, err)
				}
			}
			p := Part[T]{Object: t.file.index, Last: s.last, Value: s.value, Line: line, Records: s.records, Rejects: s.rejects}
			if s.last && hashed {
				p.Hash = combine(sums, r.ChunkSize)
			}
			if err := r.Emit(p); err != nil {
				return err
			}
			if s.end >= 0 {
				next = s.end
			}
			line += s.lines
			r.Progress.Add(s.records, 0)
			if s.last {
				if err := t.file.close(); err != nil {
					return r.failed(t.file.obj.Key, err)
				}
			}
		}
	}
	return ctx.Err()
}

func receive[T any](ctx context.Context, t *task[T]) (scanned[T], bool, error) {
	select {
	case s, ok := <-t.out:
		return s, ok, nil
	case <-ctx.Done():
		return scanned[T]{}, false, ctx.Err()
	}
}

// again scans a chunk whose first record begins at next; there may be none.
func (r *Reader[T]) again(ctx context.Context, w Worker[T], t *task[T], next int64) (scanned[T], error) {
	var none T
	empty := scanned[T]{value: none, start: -1, end: -1, last: t.last}
	if next >= min(t.end, t.file.obj.Size) {
		return empty, nil
	}
	l, err := t.file.layout(ctx)
	if err != nil {
		return empty, err
	}
	in, err := t.file.reader(ctx, next, t.end, nil, nil)
	if err != nil {
		return empty, err
	}
	defer in.Close()
	w.Reset(in, l, csvio.Chunk{Start: next, End: t.end, Aligned: true})
	s, err := collect(w)
	s.last = t.last
	return s, err
}

func (r *Reader[T]) failed(key string, err error) error {
	return fmt.Errorf("read %s in %s: %w", key, r.Bucket, remedied(err))
}

// remedied is an error of reading a raw object, with the remedy where that was written to or removed meanwhile.
func remedied(err error) error {
	if errors.Is(err, blob.ErrChanged) || errors.Is(err, blob.ErrNotExist) {
		return fmt.Errorf("%w; run it again when nothing writes to it any more", err)
	}
	return err
}

// Sources lists the raw objects below prefix that are CSV, plain or gzipped.
func Sources(ctx context.Context, raw blob.Bucket, prefix string) ([]blob.Object, error) {
	all, err := raw.List(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s in %s: %w", prefix, raw, err)
	}
	all = slices.DeleteFunc(all, func(o blob.Object) bool {
		return !strings.HasSuffix(o.Key, ".csv") && !strings.HasSuffix(o.Key, ".csv.gz")
	})
	for _, o := range all {
		if !utf8.ValidString(o.Key) { // a snapshot, which is JSON, could not name it
			return nil, fmt.Errorf("list %s in %s: the name of %q is not UTF-8; rename it", prefix, raw, o.Key)
		}
	}
	return all, nil
}

// TotalBytes is the sum of the objects' sizes.
func TotalBytes(objects []blob.Object) int64 {
	var n int64
	for _, o := range objects {
		n += o.Size
	}
	return n
}

func isGzip(key string) bool { return strings.HasSuffix(key, ".gz") }

const untilEnd = math.MaxInt64

package kpi

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/parquetio"
)

// input is an open object, closed when its last row group is folded.
type input struct {
	obj  blob.Object
	in   blob.Reader
	file *parquetio.File
	left atomic.Int64
}

// rowGroup is a piece of work.
type rowGroup struct {
	*input
	index int
}

// openers is how many objects are opened at a time: on S3 each takes a round trip.
const openers = 8

// fold reads all row groups of the objects, and folds them into one state.
func (j *Job) fold(ctx context.Context, d lake.Dataset, objects []blob.Object) (*State, error) {
	threads := max(1, j.Run.Threads)
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan rowGroup, threads)
	group.Go(func() error {
		defer close(work)
		return open(ctx, d, objects, work)
	})
	states := make([]*State, threads)
	for i := range states {
		if states[i] = NewState(j.Run.Semantics); i > 0 {
			states[i] = states[0].Sibling()
		}
		group.Go(func() error {
			var b parquetio.BatchReader
			for rg := range work {
				if err := foldRowGroup(ctx, states[i], &b, rg); err != nil {
					return fmt.Errorf("read %s: %s: %w", d, rg.obj.Key, err)
				}
				j.Run.Progress.Add(rg.file.RowGroupRows(rg.index), rg.obj.Size/int64(rg.file.NumRowGroups()))
				if rg.left.Add(-1) == 0 {
					if err := rg.in.Close(); err != nil {
						return fmt.Errorf("read %s: %s: %w", d, rg.obj.Key, err)
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, s := range states[1:] {
		states[0].Merge(s)
	}
	return states[0], nil
}

// open opens the objects and hands out their row groups.
func open(ctx context.Context, d lake.Dataset, objects []blob.Object, work chan<- rowGroup) error {
	// Readers keep the context that they are opened with, so it must not be one that ends with the openers.
	var group errgroup.Group
	group.SetLimit(openers)
	for _, obj := range objects {
		group.Go(func() error {
			in, err := d.Bucket.Open(ctx, obj)
			if err != nil {
				return fmt.Errorf("read %s: %w", d, err)
			}
			f, err := parquetio.Open(in, obj.Size)
			if err != nil {
				return fmt.Errorf("read %s: %s: %w", d, obj.Key, err)
			}
			o := &input{obj: obj, in: in, file: f}
			n := f.NumRowGroups()
			if n == 0 {
				return in.Close()
			}
			o.left.Store(int64(n))
			for i := range n {
				select {
				case work <- rowGroup{o, i}:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func foldRowGroup(ctx context.Context, s *State, b *parquetio.BatchReader, rg rowGroup) error {
	if err := b.Reset(rg.file, rg.index, columns); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := b.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Fold(rec); err != nil {
			return err
		}
	}
}

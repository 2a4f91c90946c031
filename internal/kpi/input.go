package kpi

import (
	"context"
	"fmt"
	"sync"

	"mss/internal/blob"
	"mss/internal/kpi/state"
	"mss/internal/lake"
	"mss/internal/parquetio"
)

// input is an open object. It is closed when its last row group is folded.
type input struct {
	obj  blob.Object
	in   blob.Reader
	file *parquetio.File

	mu    sync.Mutex
	left  int    // row groups that are not folded yet
	state []byte // of those that are
}

func openInput(ctx context.Context, d lake.Dataset, obj blob.Object) (*input, error) {
	in, err := d.Bucket.Open(ctx, obj)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d, err)
	}
	f, err := parquetio.Open(in, obj.Size)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("read %s: %s: %w", d, obj.Key, err)
	}
	return &input{obj: obj, in: in, file: f, left: f.NumRowGroups()}, nil
}

// folded takes the state of one of the row groups, to keep, and says whether it was the last.
func (in *input) folded(part []byte) (last bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.state == nil {
		in.state = part
	} else {
		in.state = state.Join(in.state, part)
	}
	in.left--
	return in.left == 0
}

// rowGroup is a piece of work. An object that has none yields one of index -1.
type rowGroup struct {
	*input
	index int
}

// openers is how many objects are opened at a time: on S3 each takes a round trip.
const openers = 8

// openAll opens the objects and hands out their row groups, all of one object before those of the next: so few are half done at a time.
// Readers keep the context that they are opened with.
func openAll(ctx context.Context, d lake.Dataset, objects []blob.Object, work chan<- rowGroup) error {
	type opened struct {
		*input
		err error
	}
	ahead := make([]chan opened, len(objects))
	started, taken := 0, 0
	start := func() {
		if started == len(objects) {
			return
		}
		done := make(chan opened, 1)
		ahead[started] = done
		obj := objects[started]
		started++
		go func() {
			in, err := openInput(ctx, d, obj)
			done <- opened{in, err}
		}()
	}
	defer func() {
		for ; taken < started; taken++ {
			if o := <-ahead[taken]; o.err == nil {
				o.in.Close()
			}
		}
	}()
	for range openers - 1 {
		start()
	}
	for taken < len(objects) {
		start()
		o := <-ahead[taken]
		ahead[taken] = nil
		taken++
		if o.err != nil {
			return o.err
		}
		first, n := 0, o.left
		if n == 0 {
			first, o.left = -1, 1
		}
		for i := first; i < n; i++ {
			select {
			case work <- rowGroup{o.input, i}:
			case <-ctx.Done():
				o.in.Close()
				return ctx.Err()
			}
		}
	}
	return nil
}

package blobtest_test

import (
	"context"
	"errors"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/blob/memblob"
)

// job reads an object, stages a copy, publishes it, and notes that in a document.
func job(ctx context.Context, b blob.Bucket) error {
	data, _, err := b.ReadAll(ctx, "in")
	if err != nil {
		return err
	}
	s, err := b.Stage(ctx, "out")
	if err != nil {
		return err
	}
	defer s.Abort(ctx)
	if _, err := s.Write(data); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	if _, err := s.Publish(ctx, blob.Cond{}); err != nil {
		return err
	}
	_, err = b.Write(ctx, "done", nil, blob.Cond{IfNone: true})
	return err
}

func TestFaultSweep(t *testing.T) {
	ctx := t.Context()
	for _, mode := range []*blobtest.Faults{{}, {After: true}, {Dead: true}, {After: true, Dead: true}} {
		published, noted, at := 0, 0, 1
		for ; ; at++ {
			store := memblob.New("mem")
			if _, err := store.Write(ctx, "in", []byte("data"), blob.Cond{}); err != nil {
				t.Fatal(err)
			}
			f := &blobtest.Faults{At: at, After: mode.After, Dead: mode.Dead}
			err := job(ctx, f.Wrap(store))
			if !f.Hit() {
				if err != nil {
					t.Fatalf("a run without a fault: %v", err)
				}
				break
			}
			if at <= 6 && !errors.Is(err, blobtest.ErrInjected) {
				t.Errorf("call %d %v: %v, want the fault", at, f.Calls(), err)
			}
			if _, err := store.Stat(ctx, "out"); err == nil {
				published++
			}
			if _, err := store.Stat(ctx, "done"); err == nil {
				noted++
			}
		}
		// read, stage, append, close, publish, write, and the deferred abort
		wantPublished, wantNoted := 2, 1
		if mode.After {
			wantPublished, wantNoted = 3, 2
		}
		if at != 8 || published != wantPublished || noted != wantNoted {
			t.Errorf("after=%v dead=%v: %d runs, %d published (want %d), %d noted (want %d)", mode.After, mode.Dead, at, published, wantPublished, noted, wantNoted)
		}
	}
}

package blobtest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
)

func testListOrder(t *testing.T, b blob.Bucket) {
	// Sorted by bytes; a walk folder by folder would give another order.
	keys := []string{
		"A/z", "a b/c d.csv", "a+b.csv", "a-b/c", "a.b", "a/b", "a/b.c/d", "a/c/d", "a0", "a100%.csv", "a=1&b=2/x?y#z",
		"b/streams%2F1.csv", "b/é.csv", "b/日本/ü.csv", "b/😀",
	}
	if !slices.IsSorted(keys) {
		t.Fatal("the test's own keys are not sorted")
	}
	for i, key := range keys {
		data := noise(uint64(i), i)
		if i%2 == 0 {
			write(t, b, key, data)
		} else {
			publish(t, b, key, data)
		}
	}
	if got := keysOf(t, b, ""); !slices.Equal(got, keys) {
		t.Fatalf("listed %q\nwant   %q", got, keys)
	}
	for _, prefix := range []string{"a", "a/", "a/b", "a.", "b/", "b/日", "nothing", "nothing/at/all", "a/b/", "a0/x"} {
		var want []string
		for _, key := range keys {
			if len(key) >= len(prefix) && key[:len(prefix)] == prefix {
				want = append(want, key)
			}
		}
		if got := keysOf(t, b, prefix); !slices.Equal(got, want) {
			t.Errorf("prefix %q: listed %q, want %q", prefix, got, want)
		}
	}
	list, err := b.List(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range list {
		st, err := b.Stat(context.Background(), o.Key)
		if err != nil || st.Size != o.Size || st.ETag != o.ETag || o.Size != int64(i) || o.ModTime.IsZero() {
			t.Errorf("listed %+v, stat says %+v, %v", o, st, err)
		}
		wantContent(t, b, o.Key, noise(uint64(i), i))
	}
}

func testListPages(t *testing.T, b blob.Bucket) {
	const n = 1105 // S3 lists 1,000 at once
	var g errgroup.Group
	g.SetLimit(16)
	var want []string
	for i := range n {
		key := fmt.Sprintf("part/%05d.csv", i)
		want = append(want, key)
		g.Go(func() error {
			s, err := b.Stage(context.Background(), key)
			if i%100 == 0 && err == nil {
				err = s.Abort(context.Background())
			}
			if i%100 == 0 && err == nil {
				_, err = b.Write(context.Background(), key, []byte(key), blob.Cond{})
				return err
			}
			if err != nil {
				return err
			}
			if _, err = s.Write([]byte(key)); err != nil {
				return err
			}
			if err = s.Close(); err == nil {
				_, err = s.Publish(context.Background(), blob.Cond{})
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := keysOf(t, b, "part/"); !slices.Equal(got, want) {
		t.Fatalf("listed %d keys, want %d in order", len(got), len(want))
	}
	if err := b.Delete(context.Background(), want...); err != nil {
		t.Fatal(err)
	}
	if got := keysOf(t, b, ""); len(got) != 0 {
		t.Fatalf("%d objects left after all were deleted", len(got))
	}
	noLeftovers(t, b)
}

func testEmptyPlace(t *testing.T, b blob.Bucket) {
	if got := keysOf(t, b, ""); len(got) != 0 {
		t.Errorf("an empty place lists %q", got)
	}
	if got := keysOf(t, b, "streams/"); len(got) != 0 {
		t.Errorf("an empty prefix lists %q", got)
	}
	if b.String() == "" {
		t.Error("the place has no name")
	}
}

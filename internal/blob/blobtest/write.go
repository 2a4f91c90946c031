package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mss/internal/blob"
)

var ctx = context.Background()

func testMissing(t *testing.T, b blob.Bucket) {
	write(t, b, "there/x", []byte("x"))
	for _, key := range []string{"nowhere", "there", "there/y", "there/x/y"} {
		_, err := b.Stat(ctx, key)
		wantError(t, "stat "+key, err, blob.ErrNotExist)
		_, _, err = b.ReadAll(ctx, key)
		wantError(t, "read "+key, err, blob.ErrNotExist)
		if err != nil && !strings.Contains(err.Error(), key) {
			t.Errorf("error %q does not name %s", err, key)
		}
		_, err = b.Open(ctx, blob.Object{Key: key})
		wantError(t, "open "+key, err, blob.ErrNotExist)
	}
}

func testKeys(t *testing.T, b blob.Bucket) {
	for _, key := range []string{"", "/a", "a/", "a//b", "../a", "a/../../b", "a/./b", "..", "a\x00b"} {
		_, err := b.Write(ctx, key, []byte("x"), blob.Cond{})
		wantError(t, fmt.Sprintf("write %q", key), err, blob.ErrKey)
		_, err = b.Stage(ctx, key)
		wantError(t, fmt.Sprintf("stage %q", key), err, blob.ErrKey)
	}
	if got := keysOf(t, b, ""); len(got) != 0 {
		t.Errorf("refused keys were written: %q", got)
	}
}

func testWrite(t *testing.T, b blob.Bucket) {
	first := write(t, b, "_mss/doc.json", []byte(`{"n":1}`))
	if obj := wantContent(t, b, "_mss/doc.json", []byte(`{"n":1}`)); obj.ETag != first.ETag {
		t.Errorf("Write returned ETag %s, reading says %s", first.ETag, obj.ETag)
	}
	second := write(t, b, "_mss/doc.json", []byte(`{"n":2}`))
	if second.ETag == first.ETag {
		t.Error("other bytes of the same length have the same ETag")
	}
	wantContent(t, b, "_mss/doc.json", []byte(`{"n":2}`))
	if strings.Contains(first.ETag+second.ETag, `"`) {
		t.Errorf("ETag with quotes: %s", first.ETag)
	}
}

func testConditions(t *testing.T, b blob.Bucket) {
	const key = "_mss/lock"
	_, err := b.Write(ctx, key, []byte("0"), blob.Cond{IfMatch: "0-0-0"})
	wantError(t, "IfMatch on nothing", err, blob.ErrPrecondition)
	one, err := b.Write(ctx, key, []byte("1"), blob.Cond{IfNone: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Write(ctx, key, []byte("x"), blob.Cond{IfNone: true})
	wantError(t, "IfNone on an object", err, blob.ErrPrecondition)
	wantContent(t, b, key, []byte("1"))
	two, err := b.Write(ctx, key, []byte("2"), blob.Cond{IfMatch: one.ETag})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Write(ctx, key, []byte("x"), blob.Cond{IfMatch: one.ETag})
	wantError(t, "IfMatch with an old ETag", err, blob.ErrPrecondition)
	wantContent(t, b, key, []byte("2"))
	if err := b.Delete(ctx, key); err != nil {
		t.Fatal(err)
	}
	_, err = b.Write(ctx, key, []byte("x"), blob.Cond{IfMatch: two.ETag})
	wantError(t, "IfMatch on a deleted object", err, blob.ErrPrecondition)
	if got := keysOf(t, b, ""); len(got) != 0 {
		t.Errorf("a refused write left %q", got)
	}
	noLeftovers(t, b)
}

func testRace(t *testing.T, b blob.Bucket) {
	for round := range 5 {
		key := fmt.Sprintf("_mss/lease-%d", round)
		var etag string
		for _, cond := range []string{"IfNone", "IfMatch"} {
			c := blob.Cond{IfNone: cond == "IfNone", IfMatch: etag}
			var winner atomic.Value
			var wins atomic.Int32
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					data := []byte(cond + " by writer " + strconv.Itoa(i))
					obj, err := b.Write(ctx, key, data, c)
					switch {
					case err == nil:
						wins.Add(1)
						winner.Store(string(data))
						etag = obj.ETag // one winner: no race, and -race sees when there are two
					case !errors.Is(err, blob.ErrPrecondition):
						t.Errorf("a loser got %v", err)
					}
				})
			}
			wg.Wait()
			if wins.Load() != 1 {
				t.Fatalf("%s: %d of 16 writers won, want 1", cond, wins.Load())
			}
			wantContent(t, b, key, []byte(winner.Load().(string)))
		}
	}
}

// testChain counts up by read, increment and conditional write from several sides.
func testChain(t *testing.T, b blob.Bucket) {
	const key, writers, steps = "_mss/counter", 4, 10
	write(t, b, key, []byte("0"))
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < steps; {
				data, obj, err := b.ReadAll(ctx, key)
				if err != nil {
					t.Error(err)
					return
				}
				n, _ := strconv.Atoi(string(data))
				_, err = b.Write(ctx, key, []byte(strconv.Itoa(n+1)), blob.Cond{IfMatch: obj.ETag})
				switch {
				case err == nil:
					done++
				case !errors.Is(err, blob.ErrPrecondition):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantContent(t, b, key, []byte(strconv.Itoa(writers*steps)))
}

func testStage(t *testing.T, b blob.Bucket) {
	data := noise(1, 9<<20+5) // two parts on S3
	s := stage(t, b, "mss-transformed/x/a.csv.parquet", data)
	if got := keysOf(t, b, ""); len(got) != 0 {
		t.Fatalf("a staged object is listed: %q", got)
	}
	_, err := b.Stat(ctx, "mss-transformed/x/a.csv.parquet")
	wantError(t, "stat a staged object", err, blob.ErrNotExist)
	obj, err := s.Publish(ctx, blob.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	if got := wantContent(t, b, "mss-transformed/x/a.csv.parquet", data); got.ETag != obj.ETag || obj.Size != got.Size {
		t.Errorf("Publish returned %+v, reading says %+v", obj, got)
	}
	if err := s.Abort(ctx); err != nil {
		t.Errorf("Abort after Publish: %v", err)
	}
	wantContent(t, b, "mss-transformed/x/a.csv.parquet", data)
	noLeftovers(t, b)

	open, err := b.Stage(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.Publish(ctx, blob.Cond{}); err == nil {
		t.Error("an object was published before Close")
	}
	if err := open.Abort(ctx); err != nil {
		t.Error(err)
	}
}

// testPublishReplaces polls the object while it is replaced: old bytes or new, never none or a mixture.
func testPublishReplaces(t *testing.T, b blob.Bucket) {
	const key = "songs/songs.parquet"
	a, z := bytes.Repeat([]byte("a"), 300_000), bytes.Repeat([]byte("z"), 200_000)
	publish(t, b, key, a)
	stop := make(chan struct{})
	polled := make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				polled <- nil
				return
			default:
			}
			list, err := b.List(ctx, "songs/")
			// versitygw lists a temporary name of its own for a moment; S3 itself has no such thing.
			list = slices.DeleteFunc(list, func(o blob.Object) bool { return strings.Contains(o.Key, ".sgwtmp.") })
			if err != nil || len(list) != 1 {
				polled <- fmt.Errorf("listed %v, %v", list, err)
				return
			}
			got, _, err := b.ReadAll(ctx, key)
			if err != nil && !errors.Is(err, blob.ErrChanged) || err == nil && !bytes.Equal(got, a) && !bytes.Equal(got, z) {
				polled <- fmt.Errorf("read %d bytes, error %v", len(got), err)
				return
			}
		}
	}()
	for i := range 10 {
		data := a
		if i%2 == 0 {
			data = z
		}
		publish(t, b, key, data)
	}
	close(stop)
	if err := <-polled; err != nil {
		t.Error(err)
	}
	wantContent(t, b, key, a)
}

func testAbort(t *testing.T, b blob.Bucket) {
	write(t, b, "d/keep", []byte("old"))
	for name, content := range map[string][]byte{"nothing": nil, "a little": noise(1, 100), "parts": noise(2, 17<<20)} {
		s := stage(t, b, "d/keep", content)
		if err := s.Abort(ctx); err != nil {
			t.Errorf("abort %s: %v", name, err)
		}
		if err := s.Abort(ctx); err != nil {
			t.Errorf("abort %s again: %v", name, err)
		}
		if _, err := s.Publish(ctx, blob.Cond{}); err == nil {
			t.Errorf("%s: published after Abort", name)
		}
	}
	s, err := b.Stage(ctx, "d/other") // aborted while being written
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(noise(3, 17<<20)); err != nil {
		t.Fatal(err)
	}
	if err := s.Abort(ctx); err != nil {
		t.Error(err)
	}
	if _, err := s.Write([]byte("more")); err == nil {
		t.Error("an aborted object takes more bytes")
	}
	if got := keysOf(t, b, ""); len(got) != 1 {
		t.Errorf("listed %q, want d/keep", got)
	}
	wantContent(t, b, "d/keep", []byte("old"))
	noLeftovers(t, b)
}

func testEmptyObjects(t *testing.T, b blob.Bucket) {
	write(t, b, "empty/written", nil)
	obj := publish(t, b, "empty/staged", nil)
	if obj.Size != 0 {
		t.Errorf("published %+v", obj)
	}
	for _, key := range []string{"empty/written", "empty/staged"} {
		obj := wantContent(t, b, key, nil)
		if n := streamed(t, b, obj, 0, 100); len(n) != 0 {
			t.Errorf("%s streams %d bytes", key, len(n))
		}
	}
	if got := keysOf(t, b, "empty/"); len(got) != 2 {
		t.Errorf("listed %q", got)
	}
	noLeftovers(t, b)
}

func testDelete(t *testing.T, b blob.Bucket) {
	write(t, b, "x/y/one", []byte("1"))
	write(t, b, "x/y/two", []byte("2"))
	if err := b.Delete(ctx); err != nil {
		t.Errorf("delete nothing: %v", err)
	}
	if err := b.Delete(ctx, "x/y/one", "x/y/gone", "no/such/folder"); err != nil {
		t.Errorf("delete with objects that are gone: %v", err)
	}
	if err := b.Delete(ctx, "x/y/one"); err != nil {
		t.Errorf("delete again: %v", err)
	}
	if err := b.Delete(ctx, "x/y", "x"); err != nil {
		t.Errorf("delete what is no object: %v", err)
	}
	if got := keysOf(t, b, ""); len(got) != 1 || got[0] != "x/y/two" {
		t.Errorf("listed %q, want x/y/two", got)
	}
}

func testCancelled(t *testing.T, b blob.Bucket) {
	obj := write(t, b, "k", noise(1, 1000))
	r, err := b.Open(ctx, obj)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stop, cancel := context.WithCancel(ctx)
	s, err := b.Stage(stop, "s")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(noise(1, 9<<20)); err != nil {
		t.Fatal(err)
	}
	cancel()
	for name, call := range map[string]func() error{
		"List":    func() error { _, err := b.List(stop, ""); return err },
		"Stat":    func() error { _, err := b.Stat(stop, "k"); return err },
		"ReadAll": func() error { _, _, err := b.ReadAll(stop, "k"); return err },
		"Write":   func() error { _, err := b.Write(stop, "n", nil, blob.Cond{}); return err },
		"IfNone":  func() error { _, err := b.Write(stop, "n", nil, blob.Cond{IfNone: true}); return err },
		"Open":    func() error { _, err := b.Open(stop, obj); return err },
		"Stage":   func() error { _, err := b.Stage(stop, "n"); return err },
		"Delete":  func() error { return b.Delete(stop, "k") },
		"Stream": func() error {
			in, err := r.Stream(stop, 0, 1000)
			if err != nil {
				return err
			}
			defer in.Close()
			_, err = in.Read(make([]byte, 10))
			return err
		},
	} {
		wantError(t, name, call(), context.Canceled)
	}
	wantError(t, "Close", s.Close(), context.Canceled)
	_, err = s.Publish(stop, blob.Cond{})
	wantError(t, "Publish", err, context.Canceled)
	if err := s.Abort(stop); err != nil {
		t.Errorf("Abort with a cancelled context: %v", err)
	}
	if got := keysOf(t, b, ""); len(got) != 1 || got[0] != "k" {
		t.Errorf("listed %q, want k", got)
	}
	noLeftovers(t, b)
}

// testWriteBesideDelete has writers that each remove what they wrote: a bucket that keeps its keys in folders, and removes those
// that become empty, must not lose a write to that.
func testWriteBesideDelete(t *testing.T, b blob.Bucket) {
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			key := fmt.Sprintf("tmp/shared/run-%d/x", i)
			for n := range 100 {
				cond := blob.Cond{IfNone: n%2 == 0}
				if _, err := b.Write(ctx, key, []byte(strconv.Itoa(i)), cond); err != nil {
					t.Errorf("write %d, %+v: %v", n, cond, err)
					return
				}
				if err := b.Delete(ctx, key); err != nil {
					t.Errorf("delete %d: %v", n, err)
					return
				}
			}
		})
	}
	writers.Wait()
}

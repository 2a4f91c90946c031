package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
)

func streamed(t *testing.T, b blob.Bucket, obj blob.Object, off, length int64) []byte {
	t.Helper()
	r, err := b.Open(ctx, obj)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := r.Stream(ctx, off, length)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end a stream reads %d, %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return data
}

func testRanges(t *testing.T, b blob.Bucket) {
	data := noise(7, 3<<20+17)
	size := int64(len(data))
	obj := publish(t, b, "raw/streams.csv", data)
	r, err := b.Open(ctx, obj)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, at := range []struct{ off, n int64 }{{0, 1}, {0, size}, {5, 100}, {size - 1, 1}, {size - 10, 20}, {size, 1}, {size + 5, 1}, {1 << 20, 1<<20 + 1}} {
		p := make([]byte, at.n)
		n, err := r.ReadAt(p, at.off)
		want := data[min(at.off, size):min(at.off+at.n, size)]
		if !bytes.Equal(p[:n], want) || n < len(p) && err != io.EOF || n == len(p) && err != nil && err != io.EOF {
			t.Errorf("ReadAt %d+%d: %d bytes, %v; want %d", at.off, at.n, n, err, len(want))
		}
		if got := streamed(t, b, obj, at.off, at.n); !bytes.Equal(got, want) {
			t.Errorf("Stream %d+%d: %d bytes, want %d", at.off, at.n, len(got), len(want))
		}
	}
	if got := streamed(t, b, obj, 10, 1<<62); !bytes.Equal(got, data[10:]) {
		t.Errorf("Stream to the end: %d bytes, want %d", len(got), len(data)-10)
	}
	// Parquet readers read from several goroutines, in small pieces.
	var g errgroup.Group
	for i := range int64(8) {
		g.Go(func() error {
			off := i * size / 8
			p := make([]byte, 70_000)
			n, err := io.ReadFull(io.NewSectionReader(r, off, 70_000), p)
			if err != nil || !bytes.Equal(p[:n], data[off:off+70_000]) {
				return fmt.Errorf("section at %d: %d bytes, %v", off, n, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	small := publish(t, b, "small", data[:4000])
	sr, err := b.Open(ctx, small)
	if err != nil {
		t.Fatal(err)
	}
	defer sr.Close()
	s, err := sr.Stream(ctx, 0, 4000)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := iotest.TestReader(struct{ io.Reader }{s}, data[:4000]); err != nil {
		t.Error(err)
	}
}

func testLargeStream(t *testing.T, b blob.Bucket) {
	data := noise(40, 40<<20+123)
	obj := publish(t, b, "raw/streams/big.csv", data)
	if obj.Size != int64(len(data)) {
		t.Fatalf("published %d bytes, want %d", obj.Size, len(data))
	}
	r, err := b.Open(ctx, obj)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := r.Stream(ctx, 0, obj.Size)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{s}, make([]byte, 1<<20-3))
	if err != nil || n != obj.Size {
		t.Fatalf("streamed %d bytes, %v; want %d", n, err, obj.Size)
	}
	if [32]byte(h.Sum(nil)) != sha256.Sum256(data) {
		t.Error("the streamed bytes differ from those stored")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// testManyStreams reads byte ranges of one object side by side, as the CSV scan does.
func testManyStreams(t *testing.T, b blob.Bucket) {
	data := noise(41, 12<<20)
	obj := publish(t, b, "raw/x.csv", data)
	r, err := b.Open(ctx, obj)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var g errgroup.Group
	for i := range int64(6) {
		g.Go(func() error {
			off := i * (2 << 20)
			s, err := r.Stream(ctx, off, 2<<20)
			if err != nil {
				return err
			}
			defer s.Close()
			got, err := io.ReadAll(s)
			if err != nil || !bytes.Equal(got, data[off:off+2<<20]) {
				return fmt.Errorf("range at %d: %d bytes, %v", off, len(got), err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func testCloseEarly(t *testing.T, b blob.Bucket) {
	data := noise(42, 20<<20)
	obj := publish(t, b, "raw/x.csv", data)
	r, err := b.Open(ctx, obj)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	idle := func() int {
		n := runtime.NumGoroutine()
		for range 50 { // connections end a little after their requests
			time.Sleep(5 * time.Millisecond)
			if m := runtime.NumGoroutine(); m < n {
				n = m
			}
		}
		return n
	}
	before := idle()
	for range 10 {
		s, err := r.Stream(ctx, 0, obj.Size)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(s, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := s.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("a closed stream reads with error %v", err)
		}
	}
	if after := idle(); after > before+8 { // idle connections may stay
		t.Errorf("%d goroutines before, %d after closing ten streams early", before, after)
	}

	// A reader that waits is let go when its context ends.
	stop, cancel := context.WithCancel(ctx)
	s, err := r.Stream(stop, 0, obj.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	time.AfterFunc(2*time.Millisecond, cancel)
	for err == nil {
		_, err = s.Read(make([]byte, 4096))
		if err == nil {
			time.Sleep(100 * time.Microsecond)
		}
	}
	wantError(t, "Read after cancel", err, context.Canceled)
}

func testChanged(t *testing.T, b blob.Bucket) {
	const key = "raw/streams/x.csv"
	old, now := noise(1, 6<<20), noise(2, 6<<20)
	was := publish(t, b, key, old)
	r, err := b.Open(ctx, was)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := r.Stream(ctx, 0, was.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	head := make([]byte, 1000)
	if _, err := io.ReadFull(s, head); err != nil {
		t.Fatal(err)
	}
	publish(t, b, key, now)
	rest, err := io.ReadAll(s)
	if err == nil && !bytes.Equal(append(head, rest...), old) {
		t.Errorf("a stream mixed two versions unnoticed (%d bytes)", len(rest))
	}
	if err != nil && !errors.Is(err, blob.ErrChanged) {
		t.Errorf("reading a replaced object: %v", err)
	}
	p := make([]byte, 1000)
	_, err = r.ReadAt(p, was.Size-1000)
	if err == nil && !bytes.Equal(p, old[len(old)-1000:]) || err != nil && !errors.Is(err, blob.ErrChanged) {
		t.Errorf("ReadAt of a replaced object: error %v", err)
	}
	again, err := b.Open(ctx, was)
	if err == nil {
		defer again.Close()
		_, err = again.ReadAt(p, 0)
	}
	wantError(t, "open the old version", err, blob.ErrChanged)

	if err := b.Delete(ctx, key); err != nil {
		t.Fatal(err)
	}
	again, err = b.Open(ctx, was)
	if err == nil {
		defer again.Close()
		_, err = again.ReadAt(p, 0)
	}
	wantError(t, "open a deleted object", err, blob.ErrNotExist)
}

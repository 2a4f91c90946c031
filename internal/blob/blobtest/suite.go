// Package blobtest holds what every driver of blob.Bucket must pass, and a bucket that fails on demand.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"mss/internal/blob"
)

// Run is the conformance suite. open returns an empty place; the suite calls it once for each of its parts.
func Run(t *testing.T, open func(t testing.TB) blob.Bucket) {
	for _, part := range []struct {
		name string
		test func(*testing.T, blob.Bucket)
	}{
		{"list in byte order of whole keys", testListOrder},
		{"list more than one page", testListPages},
		{"a place that does not exist is empty", testEmptyPlace},
		{"missing objects", testMissing},
		{"keys that are paths are refused", testKeys},
		{"write and read back", testWrite},
		{"conditional writes", testConditions},
		{"sixteen writers, one winner", testRace},
		{"a chain of conditional writers loses nothing", testChain},
		{"ranged reads", testRanges},
		{"stream a large object", testLargeStream},
		{"streams side by side", testManyStreams},
		{"close a stream early", testCloseEarly},
		{"an object that changes while it is read", testChanged},
		{"staged is invisible until published", testStage},
		{"publish replaces in one step", testPublishReplaces},
		{"publish on a condition", testPublishConditions},
		{"abort leaves nothing", testAbort},
		{"what another process left unfinished", testUnfinished},
		{"empty objects", testEmptyObjects},
		{"delete", testDelete},
		{"delete one version", testDeleteVersion},
		{"write beside deletes", testWriteBesideDelete},
		{"a cancelled context", testCancelled},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, open(t)) })
	}
}

func noLeftovers(t *testing.T, b blob.Bucket) {
	t.Helper()
	left, err := b.Unfinished(context.Background())
	if err != nil || len(left) != 0 {
		t.Errorf("unfinished %v, error %v; want none", left, err)
	}
}

// noise is deterministic bytes that do not compress and hold no period.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	data := make([]byte, n)
	rand.NewChaCha8(key).Read(data)
	return data
}

func write(t *testing.T, b blob.Bucket, key string, data []byte) blob.Object {
	t.Helper()
	obj, err := b.Write(context.Background(), key, data, blob.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// publish stages data in writes of odd sizes and publishes it.
func publish(t *testing.T, b blob.Bucket, key string, data []byte) blob.Object {
	t.Helper()
	s := stage(t, b, key, data)
	obj, err := s.Publish(context.Background(), blob.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func stage(t *testing.T, b blob.Bucket, key string, data []byte) blob.Staged {
	t.Helper()
	s, err := b.Stage(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	scratch := make([]byte, 1<<20+7)
	for rest := data; len(rest) > 0; {
		n := copy(scratch, rest)
		if m, err := s.Write(scratch[:n]); m != n || err != nil {
			t.Fatalf("write %d bytes: %d, %v", n, m, err)
		}
		clear(scratch) // the caller may reuse its buffer
		rest = rest[n:]
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

func wantContent(t *testing.T, b blob.Bucket, key string, want []byte) blob.Object {
	t.Helper()
	got, obj, err := b.ReadAll(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s holds %d bytes that differ from the %d expected", key, len(got), len(want))
	}
	if obj.Key != key || obj.Size != int64(len(want)) || obj.ETag == "" {
		t.Errorf("object of %s is %+v", key, obj)
	}
	return obj
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %q", what, err, want)
	}
}

func keysOf(t *testing.T, b blob.Bucket, prefix string) []string {
	t.Helper()
	list, err := b.List(context.Background(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	keys := make([]string, 0, len(list))
	for _, o := range list {
		keys = append(keys, o.Key)
	}
	return keys
}

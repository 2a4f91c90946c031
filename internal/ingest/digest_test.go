package ingest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/csvio"
	"mss/internal/report"
	"mss/internal/schema"
)

type counter struct{ csvio.Plays }

func (c *counter) Collect() (int, error) {
	n := 0
	for b := (csvio.PlayBatch{}); ; {
		ok, err := c.Next(&b)
		if !ok || err != nil {
			return n, err
		}
		n += b.N
	}
}

// hashes reads objects in small chunks, and gives the hash of each.
func hashes(t *testing.T, b blob.Bucket, chunk int64) map[string]string {
	t.Helper()
	sources, err := Sources(t.Context(), b, "streams/")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	r := &Reader[int]{Bucket: b, Objects: sources, Table: schema.RawStreams, Threads: 3, ChunkSize: chunk, Progress: report.NoProgress{},
		NewWorker: func() Worker[int] { return &counter{} },
		Emit: func(p Part[int]) error {
			if p.Last != (p.Hash != "") {
				t.Errorf("%s: last %v, hash %q", sources[p.Object].Key, p.Last, p.Hash)
			}
			out[sources[p.Object].Key] = p.Hash
			return nil
		}}
	if err := r.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestHash: the hash of what was read is that of the object's bytes, of all of them, whatever their shape and the chunks.
func TestHash(t *testing.T) {
	var plays bytes.Buffer
	plays.WriteString("\ufeffuser_id,track_id,listen_time\r\n")
	for i := range 300 {
		fmt.Fprintf(&plays, "%d,\"a\nquoted\n%022d\",2024-06-25 %02d:00:00\n", i, i, i%24)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(plays.Bytes())
	_ = z.Close()
	objects := map[string][]byte{"streams/plays.csv": plays.Bytes(), "streams/plays.csv.gz": zipped.Bytes(), "streams/none.csv": {},
		"streams/header.csv": []byte("user_id,track_id,listen_time\n"), "streams/open.csv": plays.Bytes()[:plays.Len()-1],
		"streams/unclosed.csv": append(plays.Bytes()[:plays.Len():plays.Len()], `7,"never closed`...)}
	b := memblob.New("raw")
	for key, data := range objects {
		if _, err := b.Write(t.Context(), key, data, blob.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, chunk := range []int64{64, 1000, 4096, 1 << 20} {
		for key, hash := range hashes(t, b, chunk) {
			same := func(data []byte) bool {
				obj, err := b.Write(context.Background(), "x/"+key, data, blob.Cond{})
				if err != nil {
					t.Fatal(err)
				}
				ok, err := SameBytes(t.Context(), b, obj, hash)
				if err != nil {
					t.Fatal(err)
				}
				return ok
			}
			data := objects[key]
			if !same(data) {
				t.Errorf("chunks of %d: %s is not the same as itself", chunk, key)
			}
			for _, at := range []int{0, 10, len(data) / 2, len(data) - 1} {
				if at < 0 || at >= len(data) {
					continue
				}
				other := bytes.Clone(data)
				other[at] ^= 1
				if same(other) {
					t.Errorf("chunks of %d: %s with another byte at %d is the same", chunk, key, at)
				}
			}
			if same(append(bytes.Clone(data), '\n')) {
				t.Errorf("chunks of %d: %s with a byte more is the same", chunk, key)
			}
			if ok, err := SameBytes(t.Context(), b, blob.Object{Key: "x/" + key}, ""); ok || err != nil {
				t.Error(ok, err)
			}
		}
	}
}

// TestReplacedMeanwhile: an object that was replaced or removed since it was listed is an error that says what to do.
func TestReplacedMeanwhile(t *testing.T) {
	b := memblob.New("raw")
	write := func(data string) blob.Object {
		obj, err := b.Write(t.Context(), "streams/a.csv", []byte(data), blob.Cond{})
		if err != nil {
			t.Fatal(err)
		}
		return obj
	}
	listed := write("user_id,track_id,listen_time\n1,a,2024-01-01\n")
	write("user_id,track_id,listen_time\n1,b,2024-01-01\n")
	for range 2 {
		r := &Reader[int]{Bucket: b, Objects: []blob.Object{listed}, Table: schema.RawStreams, Threads: 1, ChunkSize: 1 << 20, Progress: report.NoProgress{},
			NewWorker: func() Worker[int] { return &counter{} }, Emit: func(Part[int]) error { return nil }}
		_, serr := SameBytes(t.Context(), b, listed, "xxh3/1000:0")
		for _, err := range []error{r.Read(t.Context()), serr} {
			if err == nil || !strings.Contains(err.Error(), "streams/a.csv in raw") || !strings.Contains(err.Error(), "run it again") {
				t.Error(err)
			}
		}
		if err := b.Delete(t.Context(), "streams/a.csv"); err != nil {
			t.Fatal(err)
		}
	}
}

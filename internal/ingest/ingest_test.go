package ingest

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/report"
	"mss/internal/schema"
)

// openCount counts the readers and streams of a place that are not closed.
type openCount struct {
	blob.Bucket
	open atomic.Int64
}

func (b *openCount) Open(ctx context.Context, obj blob.Object) (blob.Reader, error) {
	r, err := b.Bucket.Open(ctx, obj)
	if err != nil {
		return nil, err
	}
	b.open.Add(1)
	return openReader{r, b}, nil
}

type openReader struct {
	blob.Reader
	b *openCount
}

func (r openReader) Stream(ctx context.Context, off, length int64) (io.ReadCloser, error) {
	s, err := r.Reader.Stream(ctx, off, length)
	if err != nil {
		return nil, err
	}
	r.b.open.Add(1)
	return openStream{s, r.b}, nil
}

func (r openReader) Close() error {
	r.b.open.Add(-1)
	return r.Reader.Close()
}

type openStream struct {
	io.ReadCloser
	b *openCount
}

func (s openStream) Close() error {
	s.b.open.Add(-1)
	return s.ReadCloser.Close()
}

// TestErrorsNameTheObject: what is wrong with an object is said with its key, and nothing of any object stays open.
func TestErrorsNameTheObject(t *testing.T) {
	good := "user_id,track_id,listen_time\n" + strings.Repeat("1,aaaaaaaaaaaaaaaaaaaaaa,2024-06-25 10:00:00\n", 200)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(good))
	_ = z.Close()
	for name, c := range map[string]struct {
		key, data, want string
	}{
		"good":            {"b.csv", good, ""},
		"good, gzipped":   {"b.csv.gz", zipped.String(), ""},
		"no gzip":         {"b.csv.gz", good, "not gzip"},
		"gzip, cut short": {"b.csv.gz", zipped.String()[:zipped.Len()-20], "ends too early"},
		"gzip of nothing": {"b.csv.gz", "\x1f", "ends too early"},
		"another header":  {"b.csv", "a,b\n1,2\n", `column "user_id" is missing`},
	} {
		mem := memblob.New("raw")
		for key, data := range map[string]string{"streams/a.csv": good, "streams/" + c.key: c.data, "streams/z.csv": good} {
			if _, err := mem.Write(t.Context(), key, []byte(data), blob.Cond{}); err != nil {
				t.Fatal(err)
			}
		}
		b := &openCount{Bucket: mem}
		sources, err := Sources(t.Context(), b, "streams/")
		if err != nil {
			t.Fatal(err)
		}
		r := &Reader[int]{Bucket: b, Objects: sources, Table: schema.RawStreams, Threads: 2, ChunkSize: 1000, Progress: report.NoProgress{},
			NewWorker: func() Worker[int] { return &counter{} }, Emit: func(Part[int]) error { return nil }}
		err = r.Read(t.Context())
		if c.want == "" && err != nil ||
			c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "read streams/"+c.key+" in raw")) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if n := b.open.Load(); n != 0 {
			t.Errorf("%s: %d readers or streams are still open", name, n)
		}
	}
}

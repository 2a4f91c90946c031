package ledger

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/csvio"
	"mss/internal/ingest"
	"mss/internal/lake"
	"mss/internal/report"
	"mss/internal/schema"
)

var ctx = context.Background()

// begun is a dataset of one object, made from one raw object, that a run is about to look at again.
type begun struct {
	t            *testing.T
	raw, curated *memblob.Bucket
	entry        lake.Entry
}

const (
	rawKey = "streams/a.csv"
	bytes1 = "user_id,track_id,listen_time\n1,t,2024-01-01\n"
	bytes2 = "user_id,track_id,listen_time\n2,t,2024-01-01\n" // as long
)

// anyVersion has ETags that say nothing of the bytes.
type anyVersion struct{ *memblob.Bucket }

func (b anyVersion) Open(ctx context.Context, obj blob.Object) (blob.Reader, error) {
	obj.ETag = ""
	return b.Bucket.Open(ctx, obj)
}

type worker struct{ csvio.Rows }

func (w *worker) Collect() (struct{}, error) {
	for {
		if _, ok, err := w.Next(); !ok || err != nil {
			return struct{}{}, err
		}
	}
}

func begin(t *testing.T) *begun {
	t.Helper()
	b := &begun{t: t, raw: memblob.New("raw"), curated: memblob.New("curated")}
	obj := b.put(bytes1)
	src := &lake.Source{Key: obj.Key, Size: obj.Size, ETag: obj.ETag}
	r := ingest.Reader[struct{}]{Bucket: b.raw, Objects: []blob.Object{obj}, Table: schema.RawStreams, Threads: 1, Progress: report.NoProgress{},
		NewWorker: func() ingest.Worker[struct{}] { return &worker{} },
		Emit:      func(p ingest.Part[struct{}]) error { src.Hash = p.Hash; return nil }}
	if err := r.Read(ctx); err != nil {
		t.Fatal(err)
	}
	txn := b.txn()
	if err := txn.Intend(ctx, []lake.Planned{{Data: "a.csv.parquet"}}); err != nil {
		t.Fatal(err)
	}
	o, err := txn.Stage(ctx, "a.csv.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Write([]byte("data")); err != nil {
		t.Fatal(err)
	}
	o.Source = src
	txn.Finish(o)
	s, err := txn.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b.entry = s.Objects[0]
	return b
}

func (b *begun) put(text string) blob.Object {
	b.t.Helper()
	if _, err := b.raw.Write(ctx, rawKey, []byte(text), blob.Cond{}); err != nil {
		b.t.Fatal(err)
	}
	obj, err := b.raw.Stat(ctx, rawKey)
	if err != nil {
		b.t.Fatal(err)
	}
	return obj
}

func (b *begun) txn() *lake.Txn {
	b.t.Helper()
	txn, err := lake.Transformed(b.curated).Begin(ctx, &lake.Run{ID: "run", Semantics: schema.Corrected, Foreign: lake.ForeignStop, Threads: 1,
		Log: slog.New(slog.DiscardHandler), Progress: report.NoProgress{}})
	if err != nil {
		b.t.Fatal(err)
	}
	return txn
}

func TestDecide(t *testing.T) {
	overwrite := func(b *begun, text string) {
		if _, err := b.curated.Write(ctx, b.entry.Key, []byte(text), blob.Cond{}); err != nil {
			b.t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		before  func(*begun, *blob.Object)
		full    bool
		want    Action
		changed bool
	}{
		"nothing has changed":  {func(*begun, *blob.Object) {}, false, Unchanged, false},
		"full":                 {func(*begun, *blob.Object) {}, true, Forced, false},
		"longer":               {func(b *begun, o *blob.Object) { *o = b.put(bytes1 + "3,t,2024-01-01\n") }, false, Replaced, false},
		"as long, other bytes": {func(b *begun, o *blob.Object) { *o = b.put(bytes2) }, false, Replaced, false},
		"replaced, and full":   {func(b *begun, o *blob.Object) { *o = b.put(bytes2) }, true, Replaced, false},
		"uploaded again":       {func(_ *begun, o *blob.Object) { o.ETag = "another" }, false, Unchanged, true},
		"no ETag":              {func(_ *begun, o *blob.Object) { o.ETag = "" }, false, Unchanged, true},
		"its ETag is weak now": {func(_ *begun, o *blob.Object) { o.ETag, o.Weak = "another", true }, false, Unchanged, true},
		"its ETag was weak":    {func(b *begun, _ *blob.Object) { b.entry.Source.Weak = true }, false, Unchanged, true},
		"weak, and other bytes": {func(b *begun, o *blob.Object) {
			etag := o.ETag
			*o = b.put(bytes2)
			o.ETag = etag
			b.entry.Source.Weak = true
		}, false, Replaced, false},
		"no hash, another ETag": {func(b *begun, o *blob.Object) { b.entry.Source.Hash = ""; o.ETag = "another" }, false, Replaced, false},
		"its output is gone":    {func(b *begun, _ *blob.Object) { _ = b.curated.Delete(ctx, b.entry.Key) }, false, Damaged, false},
		"its output is damaged": {func(b *begun, _ *blob.Object) { overwrite(b, "DATA") }, false, Damaged, false},
		"its output was copied": {func(b *begun, _ *blob.Object) { b.entry.ETag = "another" }, false, Unchanged, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := begin(t)
			obj, err := b.raw.Stat(ctx, rawKey)
			if err != nil {
				t.Fatal(err)
			}
			c.before(b, &obj)
			d, err := Decide(ctx, anyVersion{b.raw}, obj, b.txn(), &b.entry, c.full)
			if err != nil {
				t.Fatal(err)
			}
			if d.Action != c.want || d.Action == Unchanged && d.Changed != c.changed {
				t.Errorf("%+v, want %s, changed: %t", d, c.want, c.changed)
			}
			if d.Action == Unchanged && (d.Entry.Source.ETag != obj.ETag || d.Entry.Source.Weak != obj.Weak) {
				t.Errorf("the entry was not brought up to date: %+v", d.Entry.Source)
			}
		})
	}
}

func TestNew(t *testing.T) {
	b := begin(t)
	for _, e := range []*lake.Entry{nil, {Key: b.entry.Key}} {
		if d, err := Decide(ctx, b.raw, blob.Object{Key: rawKey}, b.txn(), e, false); err != nil || d.Action != New {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

// TestGoneMeanwhile has the raw object deleted between the listing and the look at its bytes.
func TestGoneMeanwhile(t *testing.T) {
	b := begin(t)
	obj := b.put(bytes2)
	if err := b.raw.Delete(ctx, rawKey); err != nil {
		t.Fatal(err)
	}
	if _, err := Decide(ctx, b.raw, obj, b.txn(), &b.entry, false); err == nil || !strings.Contains(err.Error(), rawKey) {
		t.Error(err)
	}
}

func TestReads(t *testing.T) {
	for a, want := range map[Action]bool{New: true, Replaced: true, Metadata: true, Semantics: true, Damaged: true, Forced: true,
		Unchanged: false, Vanished: false, Removed: false, Outside: false} {
		if a.Reads() != want {
			t.Errorf("%s reads: %t", a, a.Reads())
		}
	}
}

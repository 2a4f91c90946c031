package lake

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/blob/memblob"
	"mss/internal/report"
	"mss/internal/schema"
)

var ctx = context.Background()

func newRun(id string) *Run {
	return &Run{ID: id, Semantics: schema.Corrected, Foreign: ForeignStop, Threads: 1, Log: slog.New(slog.DiscardHandler), Progress: report.NoProgress{}}
}

// publish replaces the dataset by objects with the given content.
func publish(b blob.Bucket, id string, objects map[string]string) error {
	t, err := Transformed(b).Begin(ctx, newRun(id))
	if err != nil {
		return err
	}
	var plan []Planned
	for key := range objects {
		plan = append(plan, Planned{Data: key})
	}
	if err := t.Intend(ctx, plan); err != nil {
		_ = t.Abort(ctx)
		return err
	}
	for key, content := range objects {
		o, err := t.Stage(ctx, key)
		if err == nil {
			_, err = o.Write([]byte(content))
		}
		if err != nil {
			_ = t.Abort(ctx)
			return err
		}
		t.Finish(o)
	}
	if _, err = t.Commit(ctx); err != nil {
		_ = t.Abort(ctx)
	}
	return err
}

// content reads the dataset through its snapshot.
func content(b blob.Bucket) (map[string]string, error) {
	d := Transformed(b)
	s, err := d.Snapshot(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	objects, err := d.Objects(ctx, s)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, o := range objects {
		data, _, err := b.ReadAll(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		out[strings.TrimPrefix(o.Key, d.Prefix)] = string(data)
	}
	return out, nil
}

var (
	first  = map[string]string{"a.csv.parquet": "a1", "b.csv.parquet": "b1", "c.csv.parquet": "c1"}
	second = map[string]string{"a.csv.parquet": "a2", "b.csv.parquet": "b2", "d.csv.parquet": "d2"}
)

func equal(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// TestFaults kills a publication before and after each operation on the store. Whoever reads through the snapshot then gets the old
// dataset or the new one or an error, never a mixture; and the next run puts all right, and leaves nothing over.
func TestFaults(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			b := memblob.New("test")
			if err := publish(b, "run1", first); err != nil {
				t.Fatal(err)
			}
			faults := &blobtest.Faults{At: at, After: after, Dead: true}
			err := publish(faults.Wrap(b), "run2", second)
			if !faults.Hit() {
				if err != nil {
					t.Fatal(err)
				}
				if at < 12 {
					t.Fatalf("only %d operations", at-1)
				}
				break
			}
			got, rerr := content(b)
			if rerr == nil && !equal(got, first) && !equal(got, second) {
				t.Fatalf("fault %d after=%v: a mixture is read: %v", at, after, got)
			}
			recovered(t, b, at, after)
			if err := publish(b, "run3", second); err != nil {
				t.Fatalf("fault %d after=%v: the next run: %v", at, after, err)
			}
			got, rerr = content(b)
			if rerr != nil || !equal(got, second) {
				t.Fatalf("fault %d after=%v: after the next run: %v, %v", at, after, got, rerr)
			}
			left, err := b.List(ctx, "")
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, o := range left {
				keys = append(keys, o.Key)
			}
			if want := []string{"_mss/mss-transformed/snapshot.json", "mss-transformed/a.csv.parquet", "mss-transformed/b.csv.parquet",
				"mss-transformed/d.csv.parquet"}; !slices.Equal(keys, want) {
				t.Fatalf("fault %d after=%v: left over: %v", at, after, keys)
			}
		}
	}
}

// recovered cleans up behind the killed run, and wants a snapshot of what is there: all old, all new, or marked as incomplete.
func recovered(t *testing.T, b blob.Bucket, at int, after bool) {
	t.Helper()
	for _, dry := range []bool{true, false} {
		before := everything(t, b)
		r := &Recovery{Run: newRun("run3"), Dead: []string{"run2"}, Dry: dry}
		if err := r.Dataset(ctx, Transformed(b)); err != nil {
			t.Fatalf("fault %d after=%v: recover: %v", at, after, err)
		}
		if dry && !slices.Equal(everything(t, b), before) {
			t.Fatalf("fault %d after=%v: a dry recovery changes something", at, after)
		}
	}
	got, err := content(b)
	if err != nil {
		t.Fatalf("fault %d after=%v: after the recovery: %v", at, after, err)
	}
	s, err := Transformed(b).Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Incomplete && !equal(got, first) && !equal(got, second) {
		t.Errorf("fault %d after=%v: a mixture after the recovery: %v", at, after, got)
	}
	if s.Incomplete && (equal(got, first) || equal(got, second)) {
		t.Errorf("fault %d after=%v: marked as incomplete: %v", at, after, got)
	}
	for key, data := range got {
		if data != first[key] && data != second[key] {
			t.Errorf("fault %d after=%v: %s is %q", at, after, key, data)
		}
	}
	if left, err := b.Unfinished(ctx); err != nil || len(left) > 0 {
		t.Errorf("fault %d after=%v: left unfinished: %v, %v", at, after, left, err)
	}
}

// everything lists the objects of a place, with their ETags.
func everything(t *testing.T, b blob.Bucket) (out []string) {
	t.Helper()
	all, err := b.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		out = append(out, o.Key+" "+o.ETag)
	}
	return out
}

// TestReplacedObject: an object of the same size that is not the listed one is noticed; one that was copied is not complained of.
func TestReplacedObject(t *testing.T) {
	b := memblob.New("test")
	if err := publish(b, "run1", first); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		data string
		ok   bool
	}{{"XX", false}, {"a1", true}, {"longer", false}} {
		if _, err := b.Write(ctx, "mss-transformed/a.csv.parquet", []byte(c.data), blob.Cond{}); err != nil {
			t.Fatal(err)
		}
		got, err := content(b)
		if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "mss-transformed/a.csv.parquet") {
			t.Errorf("%s: %v, %v", c.data, got, err)
		}
	}
}

// TestForeignStays: what mss did not write is never deleted, but when the user says so.
func TestForeignStays(t *testing.T) {
	b := memblob.New("test")
	for _, key := range []string{"mss-transformed/part-0.parquet", "mss-transformed/notes.txt", "other.parquet"} {
		if _, err := b.Write(ctx, key, []byte("x"), blob.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
	err := publish(b, "run1", first)
	if err == nil || !strings.Contains(err.Error(), "mss-transformed/part-0.parquet") || strings.Contains(err.Error(), "notes") {
		t.Fatal(err)
	}
	if left, err := b.List(ctx, ""); err != nil || len(left) != 3 {
		t.Fatal(left, err)
	}
}

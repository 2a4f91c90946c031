package lake

import (
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/blob/fileblob"
	"mss/internal/blob/memblob"
)

// killed publishes in a place by run1, and by run2, which is killed at an operation; false when it came to its end before.
func killed(t *testing.T, b blob.Bucket, at int) bool {
	t.Helper()
	if err := publish(b, "run1", first); err != nil {
		t.Fatal(err)
	}
	faults := &blobtest.Faults{At: at, Dead: true}
	_ = publish(faults.Wrap(b), "run2", second)
	return faults.Hit()
}

func put(t *testing.T, b blob.Bucket, key, data string) {
	t.Helper()
	if _, err := b.Write(ctx, key, []byte(data), blob.Cond{}); err != nil {
		t.Fatal(err)
	}
}

func recoverRun2(b blob.Bucket) error {
	r := &Recovery{Run: newRun("run3"), Dead: []string{"run2"}}
	return r.Dataset(ctx, Transformed(b))
}

// TestRecoverCopies: a lake that was restored from a copy has other ETags. The recovery takes no object for a stranger by that: it may be
// all that is left of plays whose raw object is gone.
func TestRecoverCopies(t *testing.T) {
	for at := 1; ; at++ {
		// In a folder the ETag of an object is another for each time that it was written.
		b, err := fileblob.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if !killed(t, b, at) {
			return
		}
		all, err := b.List(ctx, "mss-transformed/")
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]string{}
		for _, o := range all {
			data, _, err := b.ReadAll(ctx, o.Key)
			if err != nil {
				t.Fatal(err)
			}
			there[o.Key] = string(data)
			put(t, b, o.Key, string(data))
		}
		if err := recoverRun2(b); err != nil {
			t.Fatalf("fault %d: %v", at, err)
		}
		s, err := Transformed(b).Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"mss-transformed/a.csv.parquet", "mss-transformed/b.csv.parquet"} {
			data, _, err := b.ReadAll(ctx, key)
			if err != nil || string(data) != there[key] || s.Entry(key) == nil {
				t.Errorf("fault %d: %s was %q, is %q, %v; its entry is %v", at, key, there[key], data, err, s.Entry(key))
			}
		}
	}
}

// TestRecoveryKilled: an object that mss did not write lies where a killed run wanted to publish, and the recovery is killed too.
// The next one does the rest, so that the next run does not take the object for a foreign one.
func TestRecoveryKilled(t *testing.T) {
	for at := 1; ; at++ {
		b := memblob.New("test")
		if !killed(t, b, at) {
			return
		}
		if _, err := b.Stat(ctx, "mss-transformed/d.csv.parquet"); err == nil {
			continue
		}
		p, err := Transformed(b).readPending(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if p == nil || !p.Publishing {
			continue
		}
		put(t, b, "mss-transformed/d.csv.parquet", "??")
		before := everything(t, b)
		for in := 1; ; in++ {
			faults := &blobtest.Faults{At: in, Dead: true}
			_ = recoverRun2(faults.Wrap(b))
			if err := recoverRun2(b); err != nil {
				t.Fatalf("fault %d, in the recovery %d: %v", at, in, err)
			}
			if err := publish(b, "run3", second); err != nil {
				t.Errorf("fault %d, in the recovery %d: the next run: %v; it began with %v", at, in, err, before)
			}
			if !faults.Hit() {
				break
			}
			b = memblob.New("test")
			killed(t, b, at)
			put(t, b, "mss-transformed/d.csv.parquet", "??")
		}
	}
}

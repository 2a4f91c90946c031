package lake

import (
	"errors"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
)

var errLost = errors.New("the lock was lost")

// lease is a lock that can be lost.
type lease struct{ lost bool }

func (l *lease) Check() error {
	if l.lost {
		return errLost
	}
	return nil
}

// stageAll stages objects for a run that has a lease, and publishes nothing.
func stageAll(t *testing.T, b blob.Bucket, id string, objects map[string]string) (*Txn, *lease) {
	t.Helper()
	run, l := newRun(id), &lease{}
	run.Lock = l
	txn, err := Transformed(b).Begin(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	var plan []Planned
	for key := range objects {
		plan = append(plan, Planned{Data: key})
	}
	if err := txn.Intend(ctx, plan); err != nil {
		t.Fatal(err)
	}
	for key, content := range objects {
		o, err := txn.Stage(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		txn.Finish(o)
	}
	if err := txn.Ready(); err != nil {
		t.Fatal(err)
	}
	return txn, l
}

// TestOvertaken has run A lose its lock when all is staged, and run B clean up behind it. What A does when it wakes takes nothing of B's away,
// least of all the document that tells what B has staged.
func TestOvertaken(t *testing.T) {
	server := s3test.New(t)
	server.Setenv(t)
	for _, wakes := range []string{"aborts", "commits"} {
		for _, to := range []string{"is killed while it stages", "is done"} {
			s3, err := s3blob.Open(ctx, server.URL+"/"+wakes+to[3:7], s3blob.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for name, b := range map[string]blob.Bucket{"S3": s3, "memory": memblob.New("curated")} {
				t.Run("A "+wakes+", B "+to+", on "+name, func(t *testing.T) {
					recovered := func(id string, dead ...string) {
						t.Helper()
						r := &Recovery{Run: newRun(id), Dead: dead}
						if err := r.Dataset(ctx, Transformed(b)); err != nil {
							t.Fatal(err)
						}
					}
					if err := publish(b, "run0", first); err != nil {
						t.Fatal(err)
					}
					a, lock := stageAll(t, b, "runA", second)
					recovered("runB", "runA")
					if to == "is done" {
						if err := publish(b, "runB", second); err != nil {
							t.Fatal(err)
						}
					} else {
						stageAll(t, b, "runB", second)
					}
					lock.lost = true
					if wakes == "commits" {
						if _, err := a.Commit(ctx); !errors.Is(err, errLost) {
							t.Errorf("A commits: %v", err)
						}
					}
					if err := a.Abort(ctx); err != nil {
						t.Error(err)
					}
					if to != "is done" {
						recovered("runC", "runA", "runB")
					}
					if left, err := b.Unfinished(ctx); len(left) > 0 || err != nil {
						t.Errorf("staged and never cleaned up: %v, %v", left, err)
					}
					if err := publish(b, "runD", first); err != nil {
						t.Errorf("the next run: %v", err)
					}
				})
			}
		}
	}
}

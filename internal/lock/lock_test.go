package lock

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mss/internal/blob"
	"mss/internal/blob/fileblob"
	"mss/internal/blob/memblob"
)

func options() Options {
	return Options{TTL: time.Minute, Log: slog.New(slog.DiscardHandler), Gone: func(Holder) bool { return false }}
}

func acquire(t *testing.T, b blob.Bucket, run string, opt Options) *Lock {
	t.Helper()
	l, _, err := Acquire(t.Context(), b, Self(run), opt)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestOneAtATime takes turns on a lease and on a folder: who comes second is told who is first.
func TestOneAtATime(t *testing.T) {
	for name, b := range map[string]blob.Bucket{"lease": memblob.New("curated"), "folder": folder(t, t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			one := acquire(t, b, "run1", options())
			_, _, err := Acquire(t.Context(), b, Self("run2"), options())
			if !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "run run1 on host") || !strings.Contains(err.Error(), "pid") || !strings.Contains(err.Error(), "ago") {
				t.Fatalf("the second: %v", err)
			}
			if s, err := Look(t.Context(), b, options()); err != nil || !s.Held || s.Holder.Run != "run1" {
				t.Errorf("%+v, %v", s, err)
			}
			if err := one.Release(t.Context(), []string{"run1"}); err != nil {
				t.Fatal(err)
			}
			two := acquire(t, b, "run2", options())
			if two.Token() <= one.Token() || two.Lake() != one.Lake() || !slices.Equal(two.Unfinished(), []string{"run1"}) {
				t.Errorf("token %d after %d, lake %s after %s, unfinished %v", two.Token(), one.Token(), two.Lake(), one.Lake(), two.Unfinished())
			}
			if err := two.Release(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if s, err := Look(t.Context(), b, options()); err != nil || s.Held || len(s.Unfinished) > 0 {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

func folder(t *testing.T, dir string) blob.Bucket {
	t.Helper()
	b, err := fileblob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRace has sixteen runs want the lock at once: one gets it.
func TestRace(t *testing.T) {
	for name, b := range map[string]blob.Bucket{"lease": memblob.New("curated"), "folder": folder(t, t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				var won atomic.Pointer[Lock]
				var wins atomic.Int32
				var wg sync.WaitGroup
				for range 16 {
					wg.Go(func() {
						l, _, err := Acquire(t.Context(), b, Self("run"), options())
						switch {
						case err == nil:
							wins.Add(1)
							won.Store(l)
						case !errors.Is(err, ErrHeld):
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if wins.Load() != 1 {
					t.Fatalf("%d got the lock", wins.Load())
				}
				if err := won.Load().Release(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestWait wants the second to get the lock when the first is done, and to stop waiting when its context ends.
func TestWait(t *testing.T) {
	b := memblob.New("curated")
	one := acquire(t, b, "run1", options())
	patient := options()
	patient.Wait = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Acquire(ctx, b, Self("run2"), patient); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	got := make(chan *Lock)
	go func() {
		l, _, err := Acquire(context.Background(), b, Self("run3"), patient)
		if err != nil {
			t.Error(err)
		}
		got <- l
	}()
	if err := one.Release(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if l := <-got; l != nil {
		if err := l.Release(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
}

// age makes the lease look as old as d, by the store's clock.
type aged struct {
	blob.Bucket
	by time.Duration
}

func (a aged) ReadAll(ctx context.Context, key string) ([]byte, blob.Object, error) {
	data, obj, err := a.Bucket.ReadAll(ctx, key)
	obj.Seen = obj.Seen.Add(a.by)
	return data, obj, err
}

// TestTakeOver takes over a lease that was not renewed, and one of a process that is gone; its holder cannot renew it then.
func TestTakeOver(t *testing.T) {
	for name, c := range map[string]struct {
		by   time.Duration
		gone bool
		ok   bool
	}{"fresh": {0, false, false}, "just in time": {time.Minute, false, false}, "expired": {time.Minute + 5*time.Second, false, true}, "gone": {0, true, true}} {
		t.Run(name, func(t *testing.T) {
			b := memblob.New("curated")
			one := acquire(t, b, "run1", options())
			opt := options()
			opt.Gone = func(Holder) bool { return c.gone }
			two, _, err := Acquire(t.Context(), aged{b, c.by}, Self("run2"), opt)
			if (err == nil) != c.ok {
				t.Fatal(err)
			}
			if !c.ok {
				return
			}
			if two.Token() != one.Token()+1 || !slices.Equal(two.Unfinished(), []string{"run1"}) {
				t.Errorf("token %d, unfinished %v", two.Token(), two.Unfinished())
			}
			if err := one.Release(t.Context(), nil); !errors.Is(err, ErrLost) {
				t.Errorf("the old holder releases it: %v", err)
			}
			if s, err := Look(t.Context(), b, options()); err != nil || !s.Held || s.Holder.Run != "run2" {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// TestHeartbeat renews a short lease, until another takes it over: then the context of its holder ends.
func TestHeartbeat(t *testing.T) {
	b := memblob.New("curated")
	opt := options()
	opt.TTL = 900 * time.Millisecond
	one, ctx, err := Acquire(t.Context(), b, Self("run1"), opt)
	if err != nil {
		t.Fatal(err)
	}
	_, first, err := b.ReadAll(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil { // until it was renewed
		if _, now, err := b.ReadAll(t.Context(), key); err != nil || now.ETag != first.ETag {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if one.Check() != nil && ctx.Err() == nil {
		t.Error("a renewed lease is not valid")
	}
	opt.Gone = func(Holder) bool { return true }
	two := acquire(t, b, "run2", opt)
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), ErrLost) || !errors.Is(context.Cause(ctx), ErrHeld) {
		t.Errorf("the context ended of %v", context.Cause(ctx))
	}
	if overtaken, err := one.Overtaken(ctx); !overtaken || err != nil {
		t.Errorf("overtaken: %t, %v", overtaken, err)
	}
	if err := one.Release(t.Context(), nil); !errors.Is(err, ErrLost) {
		t.Errorf("release: %v", err)
	}
	if err := two.Release(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// trouble is a place whose writes of the lock meet trouble.
type trouble struct {
	*memblob.Bucket
	writes atomic.Int32
	meet   func(ctx context.Context, n int32, write func() (blob.Object, error)) (blob.Object, error)
}

func (b *trouble) Write(ctx context.Context, key string, data []byte, cond blob.Cond) (blob.Object, error) {
	return b.meet(ctx, b.writes.Add(1), func() (blob.Object, error) { return b.Bucket.Write(ctx, key, data, cond) })
}

// TestRenewal has renewals without an answer, carried out or not: the lock is kept, for the next one is tried in time.
func TestRenewal(t *testing.T) {
	for name, meet := range map[string]func(context.Context, func() (blob.Object, error)) (blob.Object, error){
		"hangs": func(ctx context.Context, _ func() (blob.Object, error)) (blob.Object, error) {
			<-ctx.Done()
			return blob.Object{}, ctx.Err()
		},
		"hangs, but took place": func(ctx context.Context, write func() (blob.Object, error)) (blob.Object, error) {
			if _, err := write(); err != nil {
				return blob.Object{}, err
			}
			<-ctx.Done()
			return blob.Object{}, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &trouble{Bucket: memblob.New("curated")}
			b.meet = func(ctx context.Context, n int32, write func() (blob.Object, error)) (blob.Object, error) {
				if n == 2 || n == 5 {
					return meet(ctx, write)
				}
				return write()
			}
			opt := options()
			opt.TTL = 6 * time.Second
			l, ctx, err := Acquire(t.Context(), b, Self("run1"), opt)
			if err != nil {
				t.Fatal(err)
			}
			for b.writes.Load() < 7 && ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond)
			}
			overtaken, err := l.Overtaken(ctx)
			if err := errors.Join(err, l.Check()); err != nil || ctx.Err() != nil || overtaken {
				t.Errorf("%v, %v, overtaken: %t", err, context.Cause(ctx), overtaken)
			}
			if err := l.Release(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNoAnswer has no renewal answered: the context ends when the lease does, and nobody has taken it over.
func TestNoAnswer(t *testing.T) {
	b := &trouble{Bucket: memblob.New("curated")}
	healed := make(chan struct{})
	b.meet = func(ctx context.Context, n int32, write func() (blob.Object, error)) (blob.Object, error) {
		if n == 2 {
			<-healed // what is under way is not cut off
			return blob.Object{}, context.DeadlineExceeded
		}
		return write()
	}
	opt := options()
	opt.TTL = 600 * time.Millisecond
	l, ctx, err := Acquire(t.Context(), b, Self("run1"), opt)
	if err != nil {
		t.Fatal(err)
	}
	<-ctx.Done() // while the renewal waits
	if !errors.Is(context.Cause(ctx), ErrLost) {
		t.Error(context.Cause(ctx))
	}
	if overtaken, err := l.Overtaken(ctx); l.Check() == nil || overtaken || err != nil {
		t.Errorf("%v, overtaken: %t, %v", l.Check(), overtaken, err)
	}
	close(healed)
	if err := l.Release(ctx, nil); err != nil {
		t.Error(err)
	}
}

// TestStoppedHolder cannot renew its lease: it knows by its own clock that it may be another's.
func TestStoppedHolder(t *testing.T) {
	l := &Lock{valid: time.Now().Add(-time.Millisecond)}
	if err := l.Check(); !errors.Is(err, ErrLost) {
		t.Error(err)
	}
	l.valid = time.Now().Add(time.Minute)
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

// TestProcesses has another process hold the lock of a folder, and killed: the lock dies with it.
func TestProcesses(t *testing.T) {
	dir := os.Getenv("MSS_TEST_LOCK")
	if dir != "" { // the other process
		acquire(t, folder(t, dir), "run1", options())
		_, _ = os.Stdout.WriteString("locked\n")
		select {}
	}
	dir = t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestProcesses$")
	cmd.Env = append(os.Environ(), "MSS_TEST_LOCK="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	b := folder(t, dir)
	if _, _, err := Acquire(t.Context(), b, Self("run2"), options()); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "run1") {
		t.Errorf("while it lives: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "_mss/lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Holder.PID != cmd.Process.Pid || doc.Holder.Gone() {
		t.Errorf("%+v is gone: %v", doc.Holder, doc.Holder.Gone())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !doc.Holder.Gone() {
		t.Errorf("%+v was killed, but is not gone", doc.Holder)
	}
	l := acquire(t, b, "run2", options())
	if !slices.Equal(l.Unfinished(), []string{"run1"}) {
		t.Errorf("unfinished %v", l.Unfinished())
	}
	if err := l.Release(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestDamagedDocument(t *testing.T) {
	b := memblob.New("curated")
	for _, doc := range []string{"", "{", `{"format": 99}`} {
		if _, err := b.Write(t.Context(), key, []byte(doc), blob.Cond{}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Acquire(t.Context(), b, Self("run"), options()); err == nil || errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("%q: %v", doc, err)
		}
	}
}

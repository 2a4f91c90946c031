package lock

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"mss/internal/blob"
)

// Errors of a lock.
var (
	ErrHeld = errors.New("another run holds the lock")
	// ErrLost wraps ErrHeld: the lease ran out, and another run may have taken the lock over. Whether one has, Overtaken tells.
	ErrLost = fmt.Errorf("the lock was lost, the lease on it was not renewed in time: %w", ErrHeld)
)

const (
	key     = "_mss/lock.json"
	fileKey = "_mss/run.lock"
	format  = 1
)

// Options of Acquire.
type Options struct {
	Wait time.Duration // how long to wait for another run to end
	TTL  time.Duration // of a lease on S3; DefaultTTL when 0
	Log  *slog.Logger
	// Gone says whether a holder is known to run no more; nil means Holder.Gone.
	Gone func(Holder) bool
}

// DefaultTTL of a lease: it is renewed every third of it, and taken over this long after its holder's last sign of life.
const DefaultTTL = 45 * time.Second

// fileLocker is met by places in a folder.
type fileLocker interface {
	// TryLock locks a file for this process, as long as it lives. It is not ok when another process has it.
	TryLock(key string) (unlock func(), ok bool, err error)
}

// Lock is held until it is released.
type Lock struct {
	b      blob.Bucket
	opt    Options
	unlock func() // of the folder's file; nil on S3
	cancel context.CancelCauseFunc
	beat   sync.WaitGroup
	stop   context.CancelFunc // of what renews the lease

	mu    sync.Mutex
	doc   document
	etag  string
	valid time.Time // until when nobody can have taken the lease over
}

// Acquire takes the lock of the lake whose curated place b is. The context that it returns ends, with ErrLost as its cause, when the
// lock is lost. ErrHeld when another run has it, and does not end within opt.Wait.
func Acquire(ctx context.Context, b blob.Bucket, self Holder, opt Options) (*Lock, context.Context, error) {
	if opt.TTL == 0 {
		opt.TTL = DefaultTTL
	}
	if opt.Gone == nil {
		opt.Gone = Holder.Gone
	}
	l := &Lock{b: b, opt: opt}
	deadline := time.Now().Add(opt.Wait)
	for told := false; ; told = true {
		err := l.try(ctx, self)
		if err == nil {
			break
		}
		left := time.Until(deadline)
		if !errors.Is(err, ErrHeld) || left <= 0 {
			return nil, nil, fmt.Errorf("lock %s: %w", b, err)
		}
		if !told {
			opt.Log.Info("waiting for the lock", "place", b.String(), "wait", opt.Wait, "because", err)
		}
		select {
		case <-time.After(min(left, time.Second/4)):
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("lock %s: %w", b, context.Cause(ctx))
		}
	}
	held, cancel := context.WithCancelCause(ctx)
	l.cancel = cancel
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	if l.unlock == nil {
		l.beat.Go(func() { l.heartbeat(beating) })
		l.beat.Go(func() { l.guard(beating) })
	}
	return l, held, nil
}

// try takes the lock if it can be had now.
func (l *Lock) try(ctx context.Context, self Holder) (err error) {
	if f, ok := l.b.(fileLocker); ok {
		unlock, got, ferr := f.TryLock(fileKey)
		if ferr != nil {
			return ferr
		}
		if !got {
			doc, _, rerr := read(ctx, l.b)
			if rerr != nil || !doc.Held {
				return ErrHeld // it is just being taken or released
			}
			return heldBy(doc)
		}
		defer func() {
			if err != nil {
				unlock()
			} else {
				l.unlock = unlock
			}
		}()
	}
	asked := time.Now()
	doc, obj, err := read(ctx, l.b)
	if err != nil {
		return err
	}
	if _, file := l.b.(fileLocker); doc.Held && !file && !l.expired(doc, obj) {
		return heldBy(doc)
	}
	next := document{Format: format, Lake: doc.Lake, Token: doc.Token + 1, Held: true, Holder: self,
		Since: asked.UTC(), Renewed: asked.UTC(), TTL: l.opt.TTL, Unfinished: doc.Unfinished}
	if doc.Held {
		next.Unfinished = add(next.Unfinished, doc.Holder.Run)
		l.opt.Log.Warn("the lock was left by a run that is gone; taking it over", "holder", doc.Holder.String(), "since", doc.Since)
	}
	cond := blob.Cond{IfMatch: obj.ETag}
	if obj.ETag == "" {
		var id [8]byte
		_, _ = rand.Read(id[:]) // never returns an error
		next.Lake, cond = hex.EncodeToString(id[:]), blob.Cond{IfNone: true}
	}
	switch err := l.write(ctx, next, cond, asked); {
	case errors.Is(err, blob.ErrPrecondition):
		return fmt.Errorf("%w: %w", ErrHeld, err) // another was faster; who it is, the next try will see
	case err != nil:
		return err
	}
	return nil
}

// expired says whether a lease may be taken over. The age is by the store's clock; its times may be whole seconds.
func (l *Lock) expired(doc document, obj blob.Object) bool {
	return l.opt.Gone(doc.Holder) || obj.Seen.Sub(obj.ModTime) > doc.TTL+2*time.Second
}

func (l *Lock) write(ctx context.Context, doc document, cond blob.Cond, asked time.Time) error {
	data, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return err
	}
	obj, err := l.b.Write(ctx, key, append(data, '\n'), cond)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doc, l.etag, l.valid = doc, obj.ETag, asked.Add(doc.TTL)
	return nil
}

// heartbeat renews the lease until ctx ends or the lock is lost.
func (l *Lock) heartbeat(ctx context.Context) {
	for wait := l.opt.TTL / 3; sleep(ctx, wait); {
		err := l.renew(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, blob.ErrPrecondition) || err != nil && l.Check() != nil {
			l.cancel(ErrLost)
			return
		}
		wait = l.opt.TTL / 3
		if err != nil {
			l.opt.Log.Warn("the lease on the lock could not be renewed; trying again", "error", err)
			wait = l.opt.TTL / 45
		}
	}
}

// renew takes a share of the lease at most: a connection that the network dropped without a word answers never, the next one at once.
func (l *Lock) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.opt.TTL/6)
	defer cancel()
	l.mu.Lock()
	doc, etag := l.doc, l.etag
	l.mu.Unlock()
	asked := time.Now()
	doc.Renewed = asked.UTC()
	err := l.write(ctx, doc, blob.Cond{IfMatch: etag}, asked)
	if !errors.Is(err, blob.ErrPrecondition) {
		return err
	}
	// An earlier renewal whose answer was lost may have taken place.
	now, obj, rerr := read(ctx, l.b)
	switch {
	case rerr != nil:
		return rerr
	case !now.Held || now.Token != doc.Token || now.Holder != doc.Holder:
		return err
	}
	asked = time.Now()
	doc.Renewed = asked.UTC()
	return l.write(ctx, doc, blob.Cond{IfMatch: obj.ETag}, asked)
}

// guard ends what the lock is held for when the lease has run out, even while a renewal waits for its answer.
func (l *Lock) guard(ctx context.Context) {
	for {
		l.mu.Lock()
		left := time.Until(l.valid)
		l.mu.Unlock()
		if !sleep(ctx, left+time.Millisecond) {
			return
		}
		if l.Check() != nil {
			l.cancel(ErrLost)
			return
		}
	}
}

// sleep is false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Overtaken says whether another run has taken the lock over. After ErrLost it need not have: then nobody does the work that this run left.
func (l *Lock) Overtaken(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	doc, _, err := read(ctx, l.b)
	return err == nil && doc.Token != l.Token(), err
}

// Check is nil while nobody else can have the lock. It asks no server, so it may be called often.
func (l *Lock) Check() error {
	if l == nil || l.unlock != nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// Both clocks: the monotonic one stops while a virtual machine is suspended.
	if now := time.Now(); now.After(l.valid) || now.Round(0).After(l.valid.Round(0)) {
		return ErrLost
	}
	return nil
}

// Token is greater than that of each holder before.
func (l *Lock) Token() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.doc.Token
}

// Lake names the lake, also when its places are renamed.
func (l *Lock) Lake() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.doc.Lake
}

// OfProcess says that the operating system gave the lock, in a folder: whatever is staged there is the holder's, or of a process that is
// dead, even one that died before it could write its name into the document.
func (l *Lock) OfProcess() bool { return l.unlock != nil }

// Unfinished are the runs that may have left something behind.
func (l *Lock) Unfinished() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.doc.Unfinished)
}

// Release gives the lock back. Left are the runs that may still have left something behind. A lost lock is nobody's to release.
func (l *Lock) Release(ctx context.Context, left []string) error {
	l.stop()
	l.beat.Wait()
	if l.unlock != nil {
		defer l.unlock()
	}
	defer l.cancel(context.Canceled)
	// The run may be over because its context is; a lease is worth some seconds more.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	doc := l.doc
	doc.Held, doc.Unfinished = false, left
	err := l.write(ctx, doc, blob.Cond{IfMatch: l.etag}, time.Now())
	if errors.Is(err, blob.ErrPrecondition) {
		return ErrLost
	}
	if err != nil {
		return fmt.Errorf("release the lock of %s: %w", l.b, err)
	}
	return nil
}

package lock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"mss/internal/blob"
)

// document is what _mss/lock.json holds.
type document struct {
	Format  int           `json:"format"`
	Lake    string        `json:"lake"`  // names the lake, whatever its places are called
	Token   int64         `json:"token"` // of the holder
	Held    bool          `json:"held"`
	Holder  Holder        `json:"holder"`
	Since   time.Time     `json:"since"`
	Renewed time.Time     `json:"renewed"`
	TTL     time.Duration `json:"ttl_ns"`
	// Unfinished are the runs that may have left something behind.
	Unfinished []string `json:"unfinished,omitempty"`
}

func heldBy(doc document) error {
	age := time.Since(doc.Since).Round(time.Second)
	return fmt.Errorf("%w: %s, since %s (%s ago)", ErrHeld, doc.Holder, doc.Since.Format(time.RFC3339), age)
}

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(slices.Clone(list), s)
}

// read gives an empty document, and an object without an ETag, when there is none.
func read(ctx context.Context, b blob.Bucket) (doc document, obj blob.Object, err error) {
	data, obj, err := b.ReadAll(ctx, key)
	if errors.Is(err, blob.ErrNotExist) {
		return document{}, blob.Object{}, nil
	}
	if err != nil {
		return doc, obj, err
	}
	if json.Unmarshal(data, &doc) != nil || doc.Format != format {
		return doc, obj, fmt.Errorf("%s is damaged, or another version's: when no run of mss is under way, delete it, and run `mss clean`", key)
	}
	return doc, obj, nil
}

// State is what _mss/lock.json says, for a look without taking the lock.
type State struct {
	Held       bool
	Holder     Holder
	Since      time.Time
	Unfinished []string // runs that may have left something behind, a holder that is gone among them
}

// Look reads the lock of the lake whose curated place b is.
func Look(ctx context.Context, b blob.Bucket, opt Options) (State, error) {
	if opt.Gone == nil {
		opt.Gone = Holder.Gone
	}
	doc, obj, err := read(ctx, b)
	if err != nil {
		return State{}, fmt.Errorf("look at the lock of %s: %w", b, err)
	}
	s := State{Held: doc.Held, Holder: doc.Holder, Since: doc.Since, Unfinished: doc.Unfinished}
	gone := (&Lock{opt: opt}).expired(doc, obj)
	if f, ok := b.(fileLocker); ok && doc.Held {
		unlock, got, err := f.TryLock(fileKey)
		if err != nil {
			return State{}, fmt.Errorf("look at the lock of %s: %w", b, err)
		}
		if got {
			unlock()
		}
		gone = got
	}
	if doc.Held && gone {
		s.Held, s.Unfinished = false, add(s.Unfinished, doc.Holder.Run)
	}
	return s, nil
}

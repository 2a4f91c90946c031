// Package ledger compares the raw objects with what a dataset's snapshot says was read, and decides what a run has to do.
//
// An object is known by key, size and ETag, never by a time. Where these leave a doubt (the ETag is another at the same size, or the
// file was modified so shortly before it was listed that its ETag may be that of two versions) its bytes are read and hashed.
package ledger

import (
	"context"

	"mss/internal/blob"
	"mss/internal/ingest"
	"mss/internal/lake"
)

// Action is what a run does with a source, and why.
type Action string

// The actions.
const (
	New       Action = "new"       // read: it is in no ledger
	Replaced  Action = "replaced"  // read: its bytes are others than before
	Unchanged Action = "unchanged" // kept
	Vanished  Action = "vanished"  // kept, without the raw object
	Removed   Action = "removed"   // vanished, and what it gave is deleted
	Metadata  Action = "metadata"  // joined again: the songs or the users have changed
	Semantics Action = "semantics" // made again: the run has another --semantics
	Damaged   Action = "damaged"   // read again: what it gave is not there any more, or is another object
	Forced    Action = "full"      // read again, because the user says so
	Outside   Action = "outside"   // left as it is: outside --from and --to
)

// Reads says whether the action reads the source.
func (a Action) Reads() bool {
	switch a {
	case New, Replaced, Metadata, Semantics, Damaged, Forced:
		return true
	}
	return false
}

// sameBytes says whether a raw object has the bytes that were read before; src is then brought up to date.
func sameBytes(ctx context.Context, raw blob.Bucket, obj blob.Object, src *lake.Source) (bool, error) {
	if obj.Size != src.Size {
		return false, nil
	}
	if obj.ETag == src.ETag && obj.ETag != "" && !src.Weak {
		return true, nil
	}
	same, err := ingest.SameBytes(ctx, raw, obj, src.Hash)
	if same {
		src.ETag, src.Weak = obj.ETag, obj.Weak
	}
	return same, err
}

// Decision is what becomes of a source.
type Decision struct {
	Action Action
	// Entry is that of the old snapshot, brought up to date: it is to be kept where the action is Unchanged.
	Entry lake.Entry
	// Changed says that Entry is not as the snapshot has it.
	Changed bool
}

// Decide compares a raw object with the entry of the old snapshot that was made from it, nil when there is none. Full has it read again
// though it is the same.
func Decide(ctx context.Context, raw blob.Bucket, obj blob.Object, txn *lake.Txn, e *lake.Entry, full bool) (Decision, error) {
	if e == nil || e.Source == nil {
		return Decision{Action: New}, nil
	}
	src := *e.Source
	same, err := sameBytes(ctx, raw, obj, &src)
	if err != nil {
		return Decision{}, err
	}
	entry, intact, err := txn.Intact(ctx, *e)
	if err != nil {
		return Decision{}, err
	}
	entry.Source = &src
	d := Decision{Action: Unchanged, Entry: entry}
	d.Changed = entry.ETag != e.ETag || src.ETag != e.Source.ETag || src.Weak != e.Source.Weak
	switch {
	case !same:
		d.Action = Replaced
	case full:
		d.Action = Forced
	case !intact:
		d.Action = Damaged
	}
	return d, nil
}

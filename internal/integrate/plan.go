package integrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/ledger"
)

// Options are the choices of a run.
type Options struct {
	OnMissing  string // what becomes of the plays of a raw object that is gone: Keep, Remove or Fail
	OnMetadata string // of plays that were joined with other songs or users: Rebuild or Keep
	From, To   string // days, as YYYY-MM-DD, both included: only sources with plays in the range; "" is no limit
}

// The choices.
const (
	Keep    = "keep"
	Remove  = "remove"
	Fail    = "fail"
	Rebuild = "rebuild"
)

// item is a source, and what the run does with it.
type item struct {
	name   string      // relative to streams/: it names the output
	source blob.Object // no key when the raw object is gone
	action ledger.Action
	entry  lake.Entry // of the last run, brought up to date
	replay bool       // to be joined again from its own output, since the raw object is gone
}

// plan is what a run is going to do.
type plan struct {
	items    []item
	metadata string // identifies what plays are joined with
	changed  bool   // the snapshot is to be written anew
	behind   int    // sources that keep what they were joined with before, though the metadata has changed
	outside  int    // sources that would have been read, but for the range
}

// streams is the prefix of the plays in the raw place.
const streams = "streams/"

// makePlan compares the raw objects with the snapshot, and the identity of the metadata with the one that plays were joined with.
func (j *Job) makePlan(ctx context.Context, txn *lake.Txn, sources []blob.Object, metadata string) (*plan, error) {
	old := txn.Old()
	if err := j.checkRange(old); err != nil {
		return nil, err
	}
	p := &plan{metadata: metadata, changed: old == nil || old.Incomplete || old.Semantics != j.Run.Semantics || txn.HasForeign()}
	seen := map[string]bool{}
	for _, source := range sources {
		it := item{name: strings.TrimPrefix(source.Key, streams), source: source}
		e := old.Entry(outputKey(it.name))
		seen[outputKey(it.name)] = true
		d, err := ledger.Decide(ctx, j.Raw, source, txn, e, j.Run.Full)
		if err != nil {
			return nil, err
		}
		it.action, it.entry = d.Action, d.Entry
		p.changed = p.changed || d.Changed
		if it.action == ledger.Unchanged && it.entry.Metadata != p.metadata {
			it.action = j.outdated(old)
			if !it.action.Reads() {
				p.behind++
			}
		}
		if j.ranged() && e != nil && it.action != ledger.Damaged {
			switch {
			case j.inRange(e):
				it.action = ledger.Forced
			case it.action == ledger.Replaced:
				it.entry = *e // whether it has plays in the range now, it is read to find out
			case it.action.Reads():
				// As it was, so that a run without a range sees that there is something to do.
				it.action, it.entry = ledger.Outside, *e
				p.outside++
			}
		}
		p.items = append(p.items, it)
	}
	if err := j.planVanished(ctx, p, txn, seen); err != nil {
		return nil, err
	}
	for _, it := range p.items {
		p.changed = p.changed || it.action.Reads() || it.replay || it.action == ledger.Removed
	}
	return p, nil
}

func (j *Job) ranged() bool { return j.From != "" || j.To != "" }

// checkRange refuses a range where what lies outside cannot stay as it is: one dataset is of one run and of one semantics.
func (j *Job) checkRange(old *lake.Snapshot) error {
	if !j.ranged() || old == nil || !old.Incomplete && old.Semantics == j.Run.Semantics {
		return nil
	}
	return fmt.Errorf("%w: --from and --to want a dataset that is whole, and was made with --semantics %s; first run `mss run integrate --semantics %s` without them",
		lake.ErrUsage, j.Run.Semantics, j.Run.Semantics)
}

// outdated is what becomes of a source whose plays were joined with other metadata than there is now.
func (j *Job) outdated(old *lake.Snapshot) ledger.Action {
	switch {
	case old.Semantics != j.Run.Semantics:
		return ledger.Semantics
	case j.OnMetadata == Keep:
		return ledger.Unchanged
	}
	return ledger.Metadata
}

// planVanished adds the sources of the snapshot whose raw objects are gone.
func (j *Job) planVanished(ctx context.Context, p *plan, txn *lake.Txn, seen map[string]bool) error {
	old := txn.Old()
	if old == nil {
		return nil
	}
	var gone []string
	for _, e := range old.Objects {
		if seen[e.Key] || e.Source == nil {
			continue
		}
		gone = append(gone, e.Source.Key)
		it := item{name: strings.TrimPrefix(e.Source.Key, streams), action: ledger.Vanished}
		if j.OnMissing == Remove {
			it.action, it.entry = ledger.Removed, e
			p.items = append(p.items, it)
			continue
		}
		var intact bool
		var err error
		if it.entry, intact, err = txn.Intact(ctx, e); err != nil {
			return err
		}
		p.changed = p.changed || it.entry.ETag != e.ETag
		if !intact {
			return fmt.Errorf("integrate: the raw object %s is gone from %s, and so is %s, which was made of it, or it was replaced: restore one of them, or give its plays up by a raw object of that name with a header alone (--on-missing-source remove gives up those of all raw objects that are gone)",
				e.Source.Key, j.Raw, e.Key)
		}
		if e.Metadata != p.metadata {
			if act := j.outdated(old); act.Reads() {
				it.replay = true
			} else {
				p.behind++
			}
		}
		p.items = append(p.items, it)
	}
	if len(gone) > 0 && j.OnMissing == Fail {
		names := strings.Join(gone[:min(len(gone), 10)], ", ")
		if len(gone) > 10 {
			names += fmt.Sprintf(" and %d more", len(gone)-10)
		}
		return fmt.Errorf("integrate: raw objects that were read before are gone from %s: %s; restore them, or say --on-missing-source keep or remove", j.Raw, names)
	}
	slices.SortFunc(p.items, func(a, b item) int { return strings.Compare(a.name, b.name) })
	return nil
}

func outputKey(name string) string { return lake.Transformed(nil).Prefix + name + ".parquet" }

// inRange says whether an entry has plays in the days of the run.
func (j *Job) inRange(e *lake.Entry) bool {
	if e.First == "" {
		return false
	}
	const day = len("2006-01-02")
	return (j.To == "" || e.First[:day] <= j.To) && (j.From == "" || e.Last[:day] >= j.From)
}

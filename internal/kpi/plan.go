package kpi

import (
	"slices"
	"strings"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/schema"
)

// plan is what a run takes over, and what it computes anew.
type plan struct {
	kept  []objectState
	total bool          // the total of the index is of the kept objects, and of no other
	fresh []blob.Object // to be folded
	rows  []schema.KPI  // nothing is to be done: these are the rows
}

// plan compares the index with the snapshot.
func (w *work) plan() *plan {
	x, p := w.store.index, &plan{}
	switch {
	case w.store.broken != nil:
		w.job.Run.Log.Warn("the states of the KPIs are made anew, all data objects are read", "reason", w.store.broken)
		x = nil
	case x != nil && x.Semantics != w.job.Run.Semantics:
		x = nil
	}
	if x == nil {
		p.fresh = w.objects
		return p
	}
	known := map[string]*objectState{}
	for i := range x.Objects {
		known[x.Objects[i].Key] = &x.Objects[i]
	}
	lost := 0
	for i, e := range w.snap.Objects {
		o := known[e.Key]
		switch {
		case o == nil || !o.of(e):
			p.fresh = append(p.fresh, w.objects[i])
		case !w.store.has(o.State):
			lost++
			p.fresh = append(p.fresh, w.objects[i])
		default:
			p.kept = append(p.kept, *o)
		}
	}
	if lost > 0 {
		w.lost(lost)
	}
	p.total = len(p.kept) == len(x.Objects)
	if p.total && len(p.fresh) == 0 && w.store.has(x.Total) && !slices.ContainsFunc(x.Keys, func(f file) bool { return !w.store.has(f) }) {
		p.rows = x.rows()
	}
	return p
}

// lost says that states are missing or damaged.
func (w *work) lost(n int) {
	w.job.Run.Log.Warn("states of the KPIs are missing or damaged; they are made anew of their data objects", "objects", n)
}

// object is the data object of a key.
func (w *work) object(key string) blob.Object {
	i, _ := slices.BinarySearchFunc(w.objects, key, func(o blob.Object, key string) int { return strings.Compare(o.Key, key) })
	return w.objects[i]
}

// entry is that of a data object in the snapshot.
func (w *work) entry(key string) lake.Entry {
	i, _ := slices.BinarySearchFunc(w.snap.Objects, key, func(e lake.Entry, key string) int { return strings.Compare(e.Key, key) })
	return w.snap.Objects[i]
}

// byKey puts states together in the order of their objects' keys.
func byKey(lists ...[]objectState) []objectState {
	all := slices.Concat(lists...)
	slices.SortFunc(all, func(a, b objectState) int { return strings.Compare(a.Key, b.Key) })
	return all
}

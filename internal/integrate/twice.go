package integrate

import (
	"strings"

	"mss/internal/lake"
	"mss/internal/ledger"
)

// twice finds raw objects whose plays may count twice: those that hold the same bytes as another one, or have its name but for .gz, and,
// since the plays of what is gone are kept, those that were renamed or zipped.
type twice struct {
	gone    map[string]bool   // the keys of raw objects that are gone
	alike   map[string]string // these, by what another object would have in common: the hash of its bytes, or its key
	there   map[string]string // the keys of the others, by hash
	renamed []string          // pairs, as text
	copies  []string          // likewise
	keys    map[string]bool   // of all that are there
	zipped  []string          // pairs of keys, with and without .gz
}

func findGone(items []item) twice {
	w := twice{gone: map[string]bool{}, alike: map[string]string{}, there: map[string]string{}, keys: map[string]bool{}}
	for _, it := range items {
		if it.action != ledger.Vanished || it.entry.Plays == 0 {
			continue
		}
		src := it.entry.Source
		w.gone[src.Key] = true
		if src.Hash != "" {
			w.alike[src.Hash] = src.Key
		}
		if plain, zipped := strings.CutSuffix(src.Key, ".gz"); zipped {
			w.alike[plain] = src.Key
		} else {
			w.alike[src.Key+".gz"] = src.Key
		}
	}
	return w
}

// look looks whether the plays of an entry may be those of another one.
func (w *twice) look(e *lake.Entry) {
	src := e.Source
	if w.gone[src.Key] {
		return
	}
	if src.Hash != "" && e.Plays > 0 {
		if first, ok := w.there[src.Hash]; ok {
			w.copies = append(w.copies, first+" and "+src.Key)
		} else {
			w.there[src.Hash] = src.Key
		}
	}
	w.keys[src.Key] = true
	plain := strings.TrimSuffix(src.Key, ".gz")
	if w.keys[plain] && w.keys[plain+".gz"] {
		w.zipped = append(w.zipped, plain+" and "+plain+".gz")
	}
	for _, what := range []string{src.Hash, src.Key} {
		if from, ok := w.alike[what]; ok {
			w.renamed = append(w.renamed, from+" and "+src.Key)
			return
		}
	}
}

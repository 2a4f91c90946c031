package integrate

import (
	"strings"

	"mss/internal/lake"
	"mss/internal/ledger"
)

// renames finds raw objects that were renamed, or zipped: the plays of the old name are kept, so they count twice.
type renames struct {
	gone  map[string]bool   // the keys of raw objects that are gone
	alike map[string]string // these, by what another object would have in common: the hash of its bytes, or its key
	found []string
}

func findGone(items []item) renames {
	r := renames{gone: map[string]bool{}, alike: map[string]string{}}
	for _, it := range items {
		if it.action != ledger.Vanished || it.entry.Plays == 0 {
			continue
		}
		src := it.entry.Source
		r.gone[src.Key] = true
		if src.Hash != "" {
			r.alike[src.Hash] = src.Key
		}
		if plain, zipped := strings.CutSuffix(src.Key, ".gz"); zipped {
			r.alike[plain] = src.Key
		} else {
			r.alike[src.Key+".gz"] = src.Key
		}
	}
	return r
}

// look looks whether a source may be one that is gone.
func (r *renames) look(src *lake.Source) {
	if r.gone[src.Key] {
		return
	}
	for _, what := range []string{src.Hash, src.Key} {
		if from, ok := r.alike[what]; ok {
			r.found = append(r.found, from+" and "+src.Key)
			return
		}
	}
}

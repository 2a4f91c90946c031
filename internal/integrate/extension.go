package integrate

import (
	"cmp"
	"slices"

	"mss/internal/parquetio"
	"mss/internal/schema"
)

// extension numbers the keys of a chunk that a dimension does not know.
type extension[K cmp.Ordered] struct {
	codes map[K]uint32 // in order of appearance
	keys  []K
	dict  *parquetio.Dict // in the order of the keys; made by finish
}

func newExtension[K cmp.Ordered](kind schema.Kind) extension[K] {
	return extension[K]{codes: map[K]uint32{}, dict: parquetio.NewDict(kind)}
}

func (e *extension[K]) reset() {
	clear(e.codes)
	e.keys = e.keys[:0]
	e.dict.Reset()
}

// add gives the number of a key, a new one when it has none.
func (e *extension[K]) add(key K) uint32 {
	code, ok := e.codes[key]
	if !ok {
		code = uint32(len(e.keys))
		e.codes[key] = code
		e.keys = append(e.keys, key)
	}
	return code
}

// finish puts the keys in order, and brings the column's codes, which begin at base, in line with it.
func (e *extension[K]) finish(column []uint32, base uint32) {
	if len(e.keys) == 0 {
		return
	}
	order := make([]uint32, len(e.keys))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(e.keys[a], e.keys[b]) })
	now := make([]uint32, len(e.keys))
	for at, was := range order {
		now[was] = uint32(at)
		switch key := any(e.keys[was]).(type) {
		case string:
			e.dict.AddString(key)
		case int64:
			e.dict.AddInt(key)
		}
	}
	for i, code := range column {
		if code >= base {
			column[i] = base + now[code-base]
		}
	}
}

package state

import (
	"math"
	"math/bits"
	"slices"
	"sync"
)

// intTable numbers integers, as textTable does texts.
type intTable struct {
	mu     sync.Mutex
	values []int64  // by code
	slots  []uint32 // code+1; 0 is free. Twice as many as values at least
	space  []int64

	known      []int64 // a dictionary that was asked for before
	knownCodes []uint32
}

func (t *intTable) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.values)
}

// codes fills dst with the code of each value of a dictionary.
func (t *intTable) codes(dst []uint32, d Ints) ([]uint32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.space = d.AppendInts(t.space[:0])
	n := len(t.space)
	if len(t.slots) == 0 {
		t.grow(1 << bits.Len(uint(2*max(n, len(t.values)+n/16))))
		t.values = slices.Grow(t.values, max(0, n+n/16-len(t.values)))
	}
	dst = resize(dst, n)
	// Mostly a dictionary begins as the one before.
	same := 0
	for m := min(n, len(t.known)); same < m && t.space[same] == t.known[same]; same++ {
	}
	copy(dst, t.knownCodes[:same])
	for i := same; i < n; i++ {
		code, err := t.add(t.space[i])
		if err != nil {
			return nil, err
		}
		dst[i] = code
	}
	if same < n/2 {
		t.known, t.knownCodes = slices.Clone(t.space), slices.Clone(dst)
	}
	return dst, nil
}

// slot is where the search for a value begins. Ids mostly lie close together: a multiplication spreads them.
func (t *intTable) slot(v int64) uint64 {
	return uint64(v) * 0x9E3779B97F4A7C15 >> (64 - bits.Len(uint(len(t.slots)-1)))
}

func (t *intTable) grow(size int) {
	t.slots = make([]uint32, size)
	for code, v := range t.values {
		at := t.slot(v)
		for t.slots[at] != 0 {
			at = (at + 1) & uint64(size-1)
		}
		t.slots[at] = uint32(code + 1)
	}
}

func (t *intTable) add(v int64) (uint32, error) {
	at := t.slot(v)
	for ; t.slots[at] != 0; at = (at + 1) & uint64(len(t.slots)-1) {
		if code := t.slots[at] - 1; t.values[code] == v {
			return code, nil
		}
	}
	if len(t.values) >= math.MaxUint32-1 {
		return 0, errTooMany
	}
	code := uint32(len(t.values))
	t.values = append(t.values, v)
	t.slots[at] = code + 1
	if 2*len(t.values) > len(t.slots) {
		t.grow(2 * len(t.slots))
	}
	return code, nil
}

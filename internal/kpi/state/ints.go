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
}

func (t *intTable) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.values)
}

// codes fills dst with the codes of values. It is to be expected that room different ones will be asked for.
func (t *intTable) codes(dst []uint32, values []int64, room int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.slots) == 0 {
		room = max(room, len(t.values)+room/16, 1)
		t.grow(1 << bits.Len(uint(2*room)))
		t.values = slices.Grow(t.values, room-len(t.values))
	}
	for i, v := range values {
		code, err := t.add(v)
		if err != nil {
			return err
		}
		dst[i] = code
	}
	return nil
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

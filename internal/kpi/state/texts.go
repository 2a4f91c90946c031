package state

import (
	"bytes"
	"errors"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
	"sync"
)

// errTooMany is a set of keys that its codes or places, of 32 bits, cannot hold.
var errTooMany = errors.New("there are more than 4 billion keys, or more than 4 GiB of them")

// textTable numbers texts in the order in which they are added. Its methods may be called concurrently, but text
// only when all additions are done.
//
// It is an open table instead of a Go map because there is one look-up for each value of each dictionary, of which small files have one
// each: no text is copied but into one stretch of memory, which the garbage collector need not look into.
type textTable struct {
	mu    sync.Mutex
	texts []byte   // one behind the other
	ends  []uint32 // by code: where its text ends
	seed  maphash.Seed
	slots []uint64 // upper half of the hash << 32 | code+1; 0 is free. Twice as many as texts at least

	known      Texts // a dictionary that was asked for before: other Folders will ask for it, or one much like it
	knownCodes []uint32
}

func (t *textTable) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ends)
}

// text is the text of a code. Who changes it changes the table.
func (t *textTable) text(code uint32) []byte {
	from := uint32(0)
	if code > 0 {
		from = t.ends[code-1]
	}
	return t.texts[from:t.ends[code]:t.ends[code]]
}

// codes fills dst with the code of each value of a dictionary, behind that of null, which is None. Dst may hold those of another
// dictionary, before: what they have in common is not looked up.
func (t *textTable) codes(dst []uint32, d, before Texts) ([]uint32, error) {
	n := d.Len()
	same := d.Common(before)
	dst = slices.Grow(dst[:min(len(dst), same+1)], n+1-same)[:n+1]
	dst[0] = None
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.slots) == 0 {
		t.begin(d)
	}
	known := d.Common(t.known)
	if known > same {
		same += copy(dst[1+same:], t.knownCodes[1+same:1+known])
	}
	for i := same; i < n; i++ {
		code, err := t.add(d.Text(uint32(i)))
		if err != nil {
			return nil, err
		}
		dst[1+i] = code
	}
	if known < n/2 {
		t.known, t.knownCodes = d, slices.Clone(dst)
	}
	return dst, nil
}

// begin makes room for the texts that are there already and those of the first dictionary.
func (t *textTable) begin(d Texts) {
	t.seed = maphash.MakeSeed()
	n, size := d.Len(), 0
	for i := range n {
		size += len(d.Text(uint32(i)))
	}
	t.grow(1 << bits.Len(uint(2*(len(t.ends)+n))))
	if len(t.ends) == 0 {
		t.ends, t.texts = make([]uint32, 0, n+n/16), make([]byte, 0, size+size/16)
	}
}

// grow places all texts into size slots.
func (t *textTable) grow(size int) {
	t.slots = make([]uint64, size)
	mask := uint64(size - 1)
	for code := range t.ends {
		h := maphash.Bytes(t.seed, t.text(uint32(code)))
		at := h & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = h>>32<<32 | uint64(code+1)
	}
}

// add gives a text's code, a new one when it has none.
func (t *textTable) add(v []byte) (uint32, error) {
	mask := uint64(len(t.slots) - 1)
	h := maphash.Bytes(t.seed, v)
	at := h & mask
	for ; t.slots[at] != 0; at = (at + 1) & mask {
		if s := t.slots[at]; s>>32 == h>>32 {
			if code := uint32(s) - 1; bytes.Equal(t.text(code), v) {
				return code, nil
			}
		}
	}
	if len(t.ends) >= math.MaxUint32-1 || len(t.texts)+len(v) > math.MaxUint32 {
		return 0, errTooMany
	}
	code := uint32(len(t.ends))
	t.texts = append(t.texts, v...)
	t.ends = append(t.ends, uint32(len(t.texts)))
	t.slots[at] = h>>32<<32 | uint64(code+1)
	if 2*len(t.ends) > len(t.slots) {
		t.grow(2 * len(t.slots))
	}
	return code, nil
}

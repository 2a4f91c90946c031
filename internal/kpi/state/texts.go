package state

import (
	"bytes"
	"errors"
	"hash/maphash"
	"math"
	"math/bits"
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

	last      Texts // the dictionary that was asked for last: other Folders ask for it, too
	lastCodes []uint32
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

// codes gives the code of each value of a dictionary, behind that of null, which is None. It is not to be changed.
func (t *textTable) codes(d Texts) ([]uint32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d == t.last {
		return t.lastCodes, nil
	}
	n := d.Len()
	if len(t.slots) == 0 {
		t.begin(d)
	}
	codes := make([]uint32, n+1)
	codes[0] = None
	same := d.Common(t.last)
	copy(codes[1:], t.lastCodes[min(1, len(t.lastCodes)):][:same])
	for i := same; i < n; i++ {
		code, err := t.add(d.Text(uint32(i)))
		if err != nil {
			return nil, err
		}
		codes[i+1] = code
	}
	t.last, t.lastCodes = d, codes
	return codes, nil
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

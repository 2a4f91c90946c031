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
var errTooMany = errors.New("there are more than 2 billion keys, or more than 4 GiB of them")

// textTable numbers texts in the order in which they are added. Its methods may be called concurrently, but text only when all
// additions are done.
//
// It is an open table instead of a Go map because there is one look-up for each value of each dictionary, of which small files have one
// each: no text is copied but into one stretch of memory, which the garbage collector need not look into, and look-ups are made many at
// a time, so that they wait for memory together.
type textTable struct {
	mu    sync.Mutex
	texts []byte   // one behind the other
	ends  []uint32 // by code: where its text ends
	seed  maphash.Seed
	// A slot holds a code plus one in its lower bits, as many as a place in slots has, and above them bits of the text's hash; 0 is free.
	// At most half of the slots are taken.
	slots []uint32

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
	for at := same; at < n; at += lookupsAtATime {
		if err := t.add(dst[1+at:1+min(at+lookupsAtATime, n)], d, at); err != nil {
			return nil, err
		}
	}
	if known < n/2 {
		t.known, t.knownCodes = d, slices.Clone(dst)
	}
	return dst, nil
}

// begin makes room for the texts that are there already, and for those of the first dictionary, many of which are the same.
func (t *textTable) begin(d Texts) {
	t.seed = maphash.MakeSeed()
	n, size := d.Len(), 0
	if len(t.ends) == 0 {
		for i := range n {
			size += len(d.Text(uint32(i)))
		}
		t.ends, t.texts = make([]uint32, 0, n+n/16), make([]byte, 0, size+size/16)
	}
	t.grow(max(n, len(t.ends)+n/16))
}

// grow places all texts anew, with room for n.
func (t *textTable) grow(n int) {
	t.slots = make([]uint32, 1<<bits.Len(uint(2*n)))
	for code := range t.ends {
		h := maphash.Bytes(t.seed, t.text(uint32(code)))
		_, at := t.find(h, nil)
		t.slots[at] = t.slot(h, uint32(code))
	}
}

// slot is what stands for a text of a hash.
func (t *textTable) slot(h uint64, code uint32) uint32 {
	return uint32(h>>32)&^uint32(len(t.slots)-1) | (code + 1)
}

// find looks for a text of a hash: it gives its code or, when there is none, None and a free slot. A nil text is not there.
func (t *textTable) find(h uint64, v []byte) (code uint32, at uint64) {
	mask := uint32(len(t.slots) - 1)
	for at = h & uint64(mask); t.slots[at] != 0; at = (at + 1) & uint64(mask) {
		if s := t.slots[at]; v != nil && (s^uint32(h>>32))&^mask == 0 {
			if code := s&mask - 1; bytes.Equal(t.text(code), v) {
				return code, at
			}
		}
	}
	return None, at
}

const lookupsAtATime = 64

// add gives the codes of values of a dictionary, from first on, at most lookupsAtATime; new ones to those that have none.
func (t *textTable) add(codes []uint32, d Texts, first int) error {
	if 2*(len(t.ends)+len(codes)) > len(t.slots) {
		t.grow(2 * (len(t.ends) + len(codes)))
	}
	var values [lookupsAtATime][]byte
	var hashes [lookupsAtATime]uint64
	var found [lookupsAtATime]uint32
	mask := uint32(len(t.slots) - 1)
	// No step of these loops waits for the one before it.
	for i := range codes {
		v := d.Text(uint32(first + i))
		values[i], hashes[i] = v, maphash.Bytes(t.seed, v)
	}
	for i := range codes {
		found[i] = t.slots[uint32(hashes[i])&mask]
	}
	for i := range codes {
		s := found[i]
		found[i] = None
		if s != 0 && (s^uint32(hashes[i]>>32))&^mask == 0 && bytes.Equal(t.text(s&mask-1), values[i]) {
			found[i] = s&mask - 1
		}
	}
	for i, v := range values[:len(codes)] {
		code := found[i]
		if code == None {
			var at uint64
			if code, at = t.find(hashes[i], v); code == None {
				if len(t.ends) >= math.MaxInt32 || len(t.texts)+len(v) > math.MaxUint32 {
					return errTooMany
				}
				code = uint32(len(t.ends))
				t.texts = append(t.texts, v...)
				t.ends = append(t.ends, uint32(len(t.texts)))
				t.slots[at] = t.slot(hashes[i], code)
			}
		}
		codes[i] = code
	}
	return nil
}

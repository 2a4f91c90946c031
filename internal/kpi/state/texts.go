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
var errTooMany = errors.New("there are more than 2 billion keys, or more than 4 GiB of them")

// textTable numbers texts in the order in which they are added. Its methods may be called concurrently, but text only when all
// additions are done.
//
// It is an open table instead of a Go map because there is a look-up for each track of each dictionary, and each small file has its own: no
// text is copied but into one stretch of memory, which the garbage collector need not look into, and look-ups are made many at a time, so
// that they wait for memory together.
type textTable struct {
	mu    sync.Mutex
	texts []byte   // one behind the other
	ends  []uint32 // by code: where its text ends
	seed  maphash.Seed
	// A slot holds a code plus one in its lower bits, as many as a place in slots has, and above them bits of the text's hash; 0 is free.
	// At most half of the slots are taken.
	slots []uint32
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

// codes fills dst with the codes of texts; new ones are given to those that have none. Texts may be the same. It is to be expected that
// room different ones will be asked for.
func (t *textTable) codes(dst []uint32, texts [][]byte, room int) error {
	if len(texts) == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.slots) == 0 {
		t.begin(texts, room)
	}
	for len(texts) > 0 {
		n := min(len(texts), lookupsAtATime)
		if err := t.add(dst[:n], texts[:n]); err != nil {
			return err
		}
		dst, texts = dst[n:], texts[n:]
	}
	return nil
}

// begin makes room.
func (t *textTable) begin(texts [][]byte, room int) {
	t.seed = maphash.MakeSeed()
	if len(t.ends) == 0 {
		size := 0
		for _, v := range texts {
			size += len(v)
		}
		t.ends, t.texts = make([]uint32, 0, room), make([]byte, 0, min(size/len(texts)*room+room, 1<<28))
	}
	t.grow(max(room, len(t.ends)+room/16))
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

// add gives the codes of at most lookupsAtATime texts.
func (t *textTable) add(codes []uint32, texts [][]byte) error {
	if 2*(len(t.ends)+len(texts)) > len(t.slots) {
		t.grow(2 * (len(t.ends) + len(texts)))
	}
	var hashes [lookupsAtATime]uint64
	mask := uint32(len(t.slots) - 1)
	// No step of these loops waits for the one before it.
	for i, v := range texts {
		hashes[i] = maphash.Bytes(t.seed, v)
	}
	for i := range texts {
		codes[i] = t.slots[uint32(hashes[i])&mask]
	}
	for i, v := range texts {
		s := codes[i]
		codes[i] = None
		if s != 0 && (s^uint32(hashes[i]>>32))&^mask == 0 && bytes.Equal(t.text(s&mask-1), v) {
			codes[i] = s&mask - 1
		}
	}
	for i, v := range texts {
		if codes[i] != None {
			continue
		}
		code, at := t.find(hashes[i], v)
		if code == None {
			if len(t.ends) >= math.MaxInt32 || len(t.texts)+len(v) > math.MaxUint32 {
				return errTooMany
			}
			code = uint32(len(t.ends))
			t.texts = append(t.texts, v...)
			t.ends = append(t.ends, uint32(len(t.texts)))
			t.slots[at] = t.slot(hashes[i], code)
		}
		codes[i] = code
	}
	return nil
}

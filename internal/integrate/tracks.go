package integrate

import (
	"encoding/binary"
	"math/bits"

	"mss/internal/csvio"
	"mss/internal/parquetio"
)

// none is the code of a key that the dimension does not know.
const none = ^uint32(0)

// trackIndex finds the code of a track_id.
//
// Nearly all track ids have 22 bytes. Those are in an open hash table of 4-byte slots: the low ordBits bits hold the code
// plus one (0: empty), the rest a tag, taken from the same hash. A lookup takes the home slot, or the one behind it,
// by the tag alone, without a branch that could be mispredicted, and compares the 22 bytes in keys in a second pass; only
// when that fails does it probe slot by slot. Ids of other lengths are in a Go map.
type trackIndex struct {
	slots   []uint32
	shift   uint
	ordBits uint
	keys    []byte // keyStride bytes for each code
	others  map[string]uint32
	hashes  [csvio.BatchRows]uint64
	cands   [csvio.BatchRows]uint32
}

const (
	keyLen    = 22
	keyStride = 24
)

// newTrackIndex indexes a dictionary of track ids: the codes are the dictionary's.
func newTrackIndex(dict *parquetio.Dict) *trackIndex {
	n := dict.Len()
	logSlots := uint(bits.Len(uint(2*n + 1)))
	x := &trackIndex{slots: make([]uint32, 1<<logSlots+1), shift: 64 - logSlots, ordBits: uint(bits.Len(uint(n + 1))),
		keys: make([]byte, n*keyStride+8), others: map[string]uint32{}}
	mask := len(x.slots) - 2
	for code := range n {
		id := dict.Text(uint32(code))
		if len(id) != keyLen {
			x.others[string(id)] = uint32(code)
			continue
		}
		copy(x.keys[code*keyStride:], id)
		h := hash22(x.keys[code*keyStride:])
		s := int(h >> x.shift)
		for x.slots[s] != 0 {
			s = (s + 1) & mask
		}
		x.slots[s] = x.entry(h, uint32(code))
	}
	// One slot more, equal to the first, so that the slot behind the last home slot can be loaded.
	x.slots[mask+1] = x.slots[0]
	return x
}

// clone shares the table, but not the scratch space of a batch.
func (x *trackIndex) clone() *trackIndex {
	c := *x
	return &c
}

func (x *trackIndex) entry(h uint64, code uint32) uint32 { return uint32(h)<<x.ordBits | (code + 1) }

// hash22 hashes the 22 bytes at b, by three loads of which two overlap.
func hash22(b []byte) uint64 {
	_ = b[21]
	h := binary.LittleEndian.Uint64(b)*0x9E3779B97F4A7C15 ^ bits.RotateLeft64(binary.LittleEndian.Uint64(b[8:])*0xC2B2AE3D27D4EB4F, 29) ^
		bits.RotateLeft64(binary.LittleEndian.Uint64(b[14:])*0x165667B19E3779F9, 47)
	h ^= h >> 32
	return h * 0xD6E8FEB86659FD93
}

func equal22(a, b []byte) bool {
	_, _ = a[21], b[21]
	return binary.LittleEndian.Uint64(a) == binary.LittleEndian.Uint64(b) &&
		binary.LittleEndian.Uint64(a[8:]) == binary.LittleEndian.Uint64(b[8:]) &&
		binary.LittleEndian.Uint64(a[14:]) == binary.LittleEndian.Uint64(b[14:])
}

// lookup appends the code of each play's track to codes, none where the dimension does not know it.
func (x *trackIndex) lookup(b *csvio.PlayBatch, codes []uint32) []uint32 {
	slots, text := x.slots, b.Text
	ordMask := uint32(1)<<x.ordBits - 1
	for i := range b.N {
		// The hash of a shorter id is not used; the bytes behind it can be loaded all the same.
		h := hash22(text[b.TrackPos[i]:])
		x.hashes[i] = h
		s := h >> x.shift
		home, next := slots[s], slots[s+1]
		cand := home
		if (home^uint32(h)<<x.ordBits)&^ordMask != 0 {
			cand = next
		}
		x.cands[i] = cand & ordMask
	}
	n := len(codes)
	for i := range b.N {
		code := x.cands[i] - 1
		pos := b.TrackPos[i]
		if b.TrackLen[i] != keyLen || code == none || !equal22(text[pos:], x.keys[code*keyStride:]) {
			code = x.find(x.hashes[i], b.Track(i))
		}
		codes = append(codes, code)
	}
	return codes[:n+b.N]
}

// code is lookup for one id, the slow way.
func (x *trackIndex) code(id []byte) uint32 {
	var h uint64
	if len(id) == keyLen {
		h = hash22(id)
	}
	return x.find(h, id)
}

// find probes slot by slot.
func (x *trackIndex) find(h uint64, id []byte) uint32 {
	if len(id) != keyLen {
		if code, ok := x.others[string(id)]; ok {
			return code
		}
		return none
	}
	mask := len(x.slots) - 2
	for s := int(h >> x.shift); x.slots[s] != 0; s = (s + 1) & mask {
		e := x.slots[s]
		code := e&(1<<x.ordBits-1) - 1
		if e == x.entry(h, code) && equal22(id, x.keys[code*keyStride:]) {
			return code
		}
	}
	return none
}

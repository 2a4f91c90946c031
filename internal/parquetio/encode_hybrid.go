package parquetio

import (
	"encoding/binary"
	"math/bits"
)

// hybrid encodes codes as an RLE hybrid, see doc.go.
type hybrid struct {
	dst   []byte
	width int
	head  int // position of the open bit-packed run's header byte; -1 when none is open
	acc   uint64
	nacc  int // values that wait in group
	group [8]uint32
}

// maxGroups is the most groups of eight whose count fits a one-byte header.
const maxGroups = 63

func (h *hybrid) reset(dst []byte, width int) {
	*h = hybrid{dst: dst, width: width, head: -1}
}

// codeWidth is the width of codes below n: at least one bit, since some readers stumble over none.
func codeWidth(n int) int { return max(1, bits.Len(uint(max(n, 1)-1))) }

// run appends n times code.
func (h *hybrid) run(code uint32, n int) {
	for h.nacc > 0 && n > 0 {
		h.push(code)
		n--
	}
	if n >= 8 {
		h.closeGroups()
		h.dst = binary.AppendUvarint(h.dst, uint64(n)<<1)
		for w := 0; w < h.width; w += 8 {
			h.dst = append(h.dst, byte(code>>w))
		}
		return
	}
	for ; n > 0; n-- {
		h.push(code)
	}
}

func (h *hybrid) push(code uint32) {
	h.group[h.nacc] = code
	h.nacc++
	if h.nacc < 8 {
		return
	}
	h.nacc = 0
	if h.head < 0 || h.dst[h.head] == maxGroups<<1|1 {
		h.head = len(h.dst)
		h.dst = append(h.dst, 1)
	}
	h.dst[h.head] += 2
	h.dst = packBits(h.dst, h.group[:], h.width)
}

func (h *hybrid) closeGroups() { h.head = -1 }

// finish pads the last group. The reader knows the number of values from the page header.
func (h *hybrid) finish() []byte {
	for h.nacc > 0 {
		h.push(0)
	}
	return h.dst
}

// packRun appends all codes as one bit-packed run.
func packRun(dst []byte, codes []uint32, width int) []byte {
	groups := (len(codes) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	whole := len(codes) &^ 7
	dst = packBits(dst, codes[:whole], width)
	if whole < len(codes) {
		var last [8]uint32
		copy(last[:], codes[whole:])
		dst = packBits(dst, last[:], width)
	}
	return dst
}

// packBits appends codes, a multiple of eight, with width bits each.
func packBits(dst []byte, codes []uint32, width int) []byte {
	n := len(dst)
	size := len(codes) * width / 8
	dst = grow(dst, size+8)
	out := dst[n : n+size+8]
	var acc uint64
	var have, at uint
	w := uint(width)
	for _, c := range codes {
		acc |= uint64(c) << have
		have += w
		if have >= 32 {
			binary.LittleEndian.PutUint32(out[at:], uint32(acc))
			at += 4
			acc >>= 32
			have -= 32
		}
	}
	binary.LittleEndian.PutUint32(out[at:], uint32(acc))
	return dst[:n+size]
}

// grow makes room for n more bytes behind dst, and returns dst with them.
func grow(dst []byte, n int) []byte {
	if need := len(dst) + n; need > cap(dst) {
		bigger := make([]byte, len(dst), need+need/2)
		copy(bigger, dst)
		dst = bigger
	}
	return dst[:len(dst)+n]
}

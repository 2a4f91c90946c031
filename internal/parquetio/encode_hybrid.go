package parquetio

import (
	"encoding/binary"
	"math/bits"
)

// hybrid encodes codes as an RLE hybrid, see doc.go. It writes to dst, which has room for the worst case from the
// beginning: every value bit-packed, and a header byte for each stretch of maxGroups groups or run.
type hybrid struct {
	dst    []byte
	at     int // end of what is written
	width  uint
	head   int // position of the open bit-packed run's header byte; -1 when none is open
	groups int // whole groups of the open run
	within int // values of the group that is being filled
	acc    uint64
	have   uint // bits in acc
}

// maxGroups is the most groups of eight whose count fits a one-byte header.
const maxGroups = 63

// reset begins behind dst, for at most n values.
func (h *hybrid) reset(dst []byte, width, n int) {
	at := len(dst)
	// A run costs less than the eight values it stands for, so bit-packing all is the worst.
	dst = grow(dst, (n+7)/8*(width+1)+64)
	*h = hybrid{dst: dst, at: at, width: uint(width), head: -1}
}

// codeWidth is the width of codes below n: at least one bit, since some readers stumble over none.
func codeWidth(n int) int { return max(1, bits.Len(uint(max(n, 1)-1))) }

// run appends n times code.
func (h *hybrid) run(code uint32, n int) {
	if h.within > 0 {
		k := min(n, 8-h.within)
		h.pack(code, k)
		n -= k
	}
	if n >= 8 {
		h.closeRun()
		h.at += binary.PutUvarint(h.dst[h.at:], uint64(n)<<1)
		for w := uint(0); w < h.width; w += 8 {
			h.dst[h.at] = byte(code >> w)
			h.at++
		}
		return
	}
	if n > 0 {
		h.pack(code, n)
	}
}

// pack appends n times code to the open group, which has room for them.
func (h *hybrid) pack(code uint32, n int) {
	if h.within == 0 && (h.head < 0 || h.groups == maxGroups) {
		h.closeRun()
		h.head = h.at
		h.at++
	}
	h.within += n
	acc, have := h.acc, h.have
	for range n {
		acc |= uint64(code) << have
		have += h.width
		if have >= 32 {
			binary.LittleEndian.PutUint32(h.dst[h.at:], uint32(acc))
			h.at += 4
			acc >>= 32
			have -= 32
		}
	}
	h.acc, h.have = acc, have
	if h.within == 8 {
		h.within = 0
		h.groups++
	}
}

// closeRun ends the open bit-packed run, at the end of a group: its bits then fill whole bytes.
func (h *hybrid) closeRun() {
	if h.head < 0 {
		return
	}
	for ; h.have > 0; h.have -= 8 {
		h.dst[h.at] = byte(h.acc)
		h.acc >>= 8
		h.at++
	}
	h.dst[h.head] = byte(h.groups<<1 | 1)
	h.head, h.groups = -1, 0
}

// finish pads the last group, and returns all that is written. The reader knows the number of values from the page header.
func (h *hybrid) finish() []byte {
	if h.within > 0 {
		h.pack(0, 8-h.within)
	}
	h.closeRun()
	return h.dst[:h.at]
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
		acc |= uint64(c) << (have & 31)
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

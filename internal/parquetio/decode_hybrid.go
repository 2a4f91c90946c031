package parquetio

import (
	"encoding/binary"
	"fmt"
)

// decodeHybrid decodes len(dst) values of an RLE hybrid, and returns the greatest. Eight bytes behind src may be loaded:
// src's capacity must allow that.
func decodeHybrid(dst []int32, src []byte, width int) (greatest int32, err error) {
	if width < 0 || width > 31 {
		return 0, fmt.Errorf("%w: %d bits for a code", ErrFormat, width)
	}
	padded := src[:len(src)+8]
	var or uint32 // any bit over the greatest code's
	i := 0
	for n := 0; n < len(dst); {
		u, k := binary.Uvarint(src[i:])
		if k <= 0 || u>>1 == 0 {
			return 0, fmt.Errorf("%w: a run of codes is damaged", ErrFormat)
		}
		i += k
		if u&1 == 0 {
			size := (width + 7) / 8
			if i+size > len(src) {
				return 0, fmt.Errorf("%w: a run of codes is cut off", ErrFormat)
			}
			v := uint32(0)
			for b := range size {
				v |= uint32(src[i+b]) << (8 * b)
			}
			i += size
			run := dst[n:]
			if u>>1 < uint64(len(run)) {
				run = run[:u>>1]
			}
			for j := range run {
				run[j] = int32(v)
			}
			or = max(or, v)
			n += len(run)
			continue
		}
		groups := u >> 1
		if groups > uint64(len(src)) || width > 0 && int(groups)*width > len(src)-i {
			return 0, fmt.Errorf("%w: a run of codes is cut off", ErrFormat)
		}
		size := int(groups) * width
		out := dst[n:]
		if int(groups)*8 < len(out) {
			out = out[:int(groups)*8]
		}
		or = max(or, unpack(out, padded[i:i+size+8], uint(width)))
		i += size
		n += len(out)
	}
	if or > 1<<31-1 {
		return 0, fmt.Errorf("%w: a code is out of range", ErrFormat)
	}
	return int32(or), nil
}

// unpack decodes bit-packed values, and returns the greatest. src is longer than they need by eight bytes.
func unpack(dst []int32, src []byte, width uint) (greatest uint32) {
	mask := uint64(1)<<width - 1
	bit := uint(0)
	// Each value is loaded anew: no step waits for the one before.
	n := len(dst) &^ 3
	for i := 0; i < n; i += 4 {
		d := dst[i : i+4 : i+4]
		a := uint32(binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7) & mask)
		b1 := bit + width
		b := uint32(binary.LittleEndian.Uint64(src[b1>>3:]) >> (b1 & 7) & mask)
		b2 := b1 + width
		c := uint32(binary.LittleEndian.Uint64(src[b2>>3:]) >> (b2 & 7) & mask)
		b3 := b2 + width
		e := uint32(binary.LittleEndian.Uint64(src[b3>>3:]) >> (b3 & 7) & mask)
		bit = b3 + width
		d[0], d[1], d[2], d[3] = int32(a), int32(b), int32(c), int32(e)
		greatest = max(greatest, a, b, c, e)
	}
	for i := n; i < len(dst); i++ {
		v := uint32(binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7) & mask)
		bit += width
		dst[i] = int32(v)
		greatest = max(greatest, v)
	}
	return greatest
}

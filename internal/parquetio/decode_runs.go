package parquetio

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/parquet-go/bitpack"
)

// Runs is a stretch of a column as runs of equal codes: the rows from Ends[i-1] on, or from 0, to Ends[i] have the code Codes[i],
// which is -1 where they are null. Neighbours may be equal.
type Runs struct {
	Codes, Ends []int32
}

func (r *Runs) reset() { r.Codes, r.Ends = r.Codes[:0], r.Ends[:0] }

// add appends a run up to end.
func (r *Runs) add(code int32, end int32) {
	if n := len(r.Codes); n > 0 && r.Codes[n-1] == code {
		r.Ends[n-1] = end
		return
	}
	r.Codes, r.Ends = append(r.Codes, code), append(r.Ends, end)
}

// addCodes appends a code for each row from at on.
func (r *Runs) addCodes(codes []int32, at int32) {
	if len(codes) == 0 {
		return
	}
	r.add(codes[0], at+1)
	// Whether a run ends is as good as random: each code is written to where the next run goes, and stays there if it is one.
	k := len(r.Codes)
	r.Codes, r.Ends = fit(r.Codes, k+len(codes)), fit(r.Ends, k+len(codes))
	outCodes, outEnds := r.Codes[k-1:], r.Ends[k-1:]
	outEnds = outEnds[:len(outCodes)]
	last, j := codes[0], 0
	for i, c := range codes {
		if c != last {
			j++
		}
		last = c
		outCodes[j], outEnds[j] = c, at+int32(i)+1
	}
	r.Codes, r.Ends = r.Codes[:k+j], r.Ends[:k+j]
}

// addBits appends rows bools, which Parquet stores from the low bit of each byte on. Eight bytes behind them can be loaded.
func (r *Runs) addBits(b []byte, rows int) {
	if rows == 0 {
		return
	}
	b = b[:(rows+7)/8+8]
	cur := int32(b[0] & 1)
	for i := 0; i < rows; {
		w := binary.LittleEndian.Uint64(b[i>>6<<3:])
		if cur == 1 {
			w = ^w
		}
		if w &= ^uint64(0) << (i & 63); w == 0 {
			i = i&^63 + 64
			continue
		}
		if i = i&^63 + bits.TrailingZeros64(w); i < rows {
			r.add(cur, int32(i))
			cur ^= 1
		}
	}
	r.add(cur, int32(rows))
}

// spread appends the runs of values, which are those of the rows that are present, and -1 for the others.
func (r *Runs) spread(present, values *Runs) {
	at, taken, k := int32(0), int32(0), 0
	for i, end := range present.Ends {
		if present.Codes[i] == 0 {
			r.add(-1, end)
			at = end
			continue
		}
		for at < end {
			n := min(end-at, values.Ends[k]-taken)
			at, taken = at+n, taken+n
			r.add(values.Codes[k], at)
			if taken == values.Ends[k] {
				k++
			}
		}
	}
}

// fit makes s n long.
func fit[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]T, n-cap(s))...)
}

// greatest is the greatest code, -1 when there is none.
func (r *Runs) greatest() int32 {
	g := int32(-1)
	for _, c := range r.Codes {
		g = max(g, c)
	}
	return g
}

// padding is how many bytes behind its end the decoders of hybrids may load.
const padding = bitpack.PaddingInt32

// hybridReader goes through the runs of an RLE hybrid.
type hybridReader struct {
	src   []byte // with padding behind it
	width int
}

// next is the next run: count values equal to code, or packed, groups of eight of them.
func (h *hybridReader) next() (count int, code uint32, packed []byte, err error) {
	u, k := binary.Uvarint(h.src)
	if k <= 0 || u>>1 == 0 {
		return 0, 0, nil, fmt.Errorf("%w: a run of codes is damaged", ErrFormat)
	}
	size := uint64(h.width+7) / 8
	if u&1 != 0 {
		size = min(u>>1, 1<<32) * uint64(h.width)
	}
	if size > uint64(len(h.src)-k) {
		return 0, 0, nil, fmt.Errorf("%w: a run of codes is cut off", ErrFormat)
	}
	body := h.src[k : k+int(size)]
	h.src = h.src[k+int(size):]
	if u&1 != 0 {
		return int(min(u>>1, 1<<28)) * 8, 0, body, nil
	}
	for i, b := range body {
		code |= uint32(b) << (8 * i)
	}
	if code > 1<<31-1 {
		return 0, 0, nil, fmt.Errorf("%w: a code is out of range", ErrFormat)
	}
	return int(min(u>>1, 1<<31-1)), code, nil, nil
}

// decodeHybridRuns appends n values of an RLE hybrid to r, whose last row so far is at. Behind src there must be padding.
func decodeHybridRuns(r *Runs, scratch []int32, src []byte, width, at, n int) ([]int32, error) {
	if width < 1 || width > 31 {
		return scratch, fmt.Errorf("%w: %d bits for a code", ErrFormat, width)
	}
	size := (width + 7) / 8
	mask := uint32(uint64(1)<<(8*size) - 1)
	padded := src[:len(src)+padding]
	i := 0
	for end := at + n; at < end; {
		if i >= len(src) {
			return scratch, errCutOff
		}
		head := uint64(padded[i])
		if i++; head >= 0x80 {
			var k int
			if head, k = binary.Uvarint(src[i-1:]); k <= 0 {
				return scratch, errCutOff
			}
			i += k - 1
		}
		count := head >> 1
		switch {
		case count == 0:
			return scratch, errCutOff
		case head&1 == 0:
			code := binary.LittleEndian.Uint32(padded[i:]) & mask
			if i += size; i > len(src) || code > 1<<31-1 {
				return scratch, errCutOff
			}
			at += int(min(count, uint64(end-at)))
			r.add(int32(code), int32(at))
		default:
			if count > uint64(len(src)) || int(count)*width > len(src)-i {
				return scratch, errCutOff
			}
			values := min(8*int(count), (end-at+7)&^7)
			scratch = fit(scratch, values)
			bitpack.Unpack(scratch, padded[i:], uint(width))
			i += int(count) * width
			values = min(values, end-at)
			r.addCodes(scratch[:values], int32(at))
			at += values
		}
	}
	return scratch, nil
}

var errCutOff = fmt.Errorf("%w: a run of codes is damaged, or cut off", ErrFormat)

// decodeHybridCodes decodes len(dst) values of an RLE hybrid. Behind dst there must be room for seven more, behind src for padding.
func decodeHybridCodes(dst []int32, src []byte, width int) error {
	if width < 1 || width > 31 {
		return fmt.Errorf("%w: %d bits for a code", ErrFormat, width)
	}
	h := hybridReader{src, width}
	for len(dst) > 0 {
		count, code, packed, err := h.next()
		if err != nil {
			return err
		}
		if packed == nil {
			count = min(count, len(dst))
			for i := range dst[:count] {
				dst[i] = int32(code)
			}
			dst = dst[count:]
			continue
		}
		bitpack.Unpack(dst[:min(count, (len(dst)+7)&^7)], packed, uint(width))
		dst = dst[min(count, len(dst)):]
	}
	return nil
}

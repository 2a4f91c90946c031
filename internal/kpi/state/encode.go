package state

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// partEncoder writes parts. It keeps its memory.
type partEncoder struct {
	columns []byte
	in      []uint8 // hours of users
	zstd    *zstd.Encoder
}

// append appends a part to dst, see doc.go.
func (e *partEncoder) append(dst []byte, p *part, g *genres) []byte {
	c := appendTally(e.columns[:0], p.tally)
	c = appendGenres(c, g)
	c = appendCodes(c, p.users)
	c = appendCodes(c, p.songs)
	for _, n := range p.counts {
		c = binary.AppendUvarint(c, uint64(n))
	}
	hours := 0
	for _, m := range p.hours {
		hours += bits.OnesCount32(m)
	}
	lists := 5*hours+4*len(p.hours) < 24*len(p.hours)
	if lists {
		c = append(c, 1)
		for _, m := range p.hours {
			c = binary.AppendUvarint(c, uint64(bits.OnesCount32(m)))
		}
	} else {
		c = append(c, 0)
	}
	e.columns = c
	dst = slices.Grow(dst, len(c)+3*len(p.hours)+len(p.in)*5/8+64)
	dst = binary.AppendUvarint(dst, uint64(len(c)))
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if 3*len(c) < 3*len(p.hours)+len(p.in)*5/8 {
		// Little is to be gained: it is not worth the time.
		dst = append(dst, c...)
	} else {
		if e.zstd == nil {
			e.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(1<<18), zstd.WithEncoderCRC(false)) // fails on options that are out of range only
		}
		dst = e.zstd.EncodeAll(c, dst)
		binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	if lists {
		e.in = appendBits(e.in[:0], p.hours)
		dst = appendHours(dst, e.in)
	} else {
		dst = appendMasks(dst, p.hours)
	}
	return appendHours(dst, p.in)
}

// appendBits appends the hours of sets.
func appendBits(in []uint8, sets []uint32) []uint8 {
	for _, m := range sets {
		for ; m != 0; m &= m - 1 {
			in = append(in, uint8(bits.TrailingZeros32(m)))
		}
	}
	return in
}

func appendTally(dst []byte, t tally) []byte {
	for _, n := range []int64{t.rows, t.primary, t.counted} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return dst
}

func appendGenres(dst []byte, s *genres) []byte {
	dst = appendGenre(dst, &s.none)
	n := 0
	for _, g := range s.named {
		if g.rows > 0 {
			n++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for name, g := range s.named {
		if g.rows > 0 {
			dst = appendGenre(appendText(dst, &name), g)
		}
	}
	return dst
}

func appendGenre(dst []byte, g *genre) []byte {
	for _, n := range []int64{g.rows, g.durations, g.popularitys} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	for _, n := range []uint64{g.duration.hi, g.duration.lo, g.popularity.hi, g.popularity.lo} {
		dst = binary.LittleEndian.AppendUint64(dst, n)
	}
	if !g.top.any {
		return append(dst, 0)
	}
	if g.top.noPopularity {
		dst = append(dst, 1)
	} else {
		dst = binary.AppendVarint(append(dst, 2), g.top.popularity)
	}
	return appendText(appendText(dst, g.top.name), g.top.artists)
}

// appendText appends a text that may be nil.
func appendText(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(*s))+1)
	return append(dst, *s...)
}

// appendCodes appends a number of codes and, of each, the difference to the one before: mostly small, for the keys were numbered in
// the order of rows like these.
func appendCodes(dst []byte, codes []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(codes)))
	last := int64(0)
	for _, code := range codes {
		dst = binary.AppendVarint(dst, int64(code)-last)
		last = int64(code)
	}
	return dst
}

// appendMasks appends sets of hours, three bytes each.
func appendMasks(dst []byte, masks []uint32) []byte {
	for _, m := range masks {
		dst = append(dst, byte(m), byte(m>>8), byte(m>>16))
	}
	return dst
}

// appendHours appends hours, five bits each; eight of them fill five bytes.
func appendHours(dst []byte, in []uint8) []byte {
	for len(in) >= 8 {
		v := uint64(in[0]) | uint64(in[1])<<5 | uint64(in[2])<<10 | uint64(in[3])<<15 | uint64(in[4])<<20 |
			uint64(in[5])<<25 | uint64(in[6])<<30 | uint64(in[7])<<35
		dst = append(dst, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32))
		in = in[8:]
	}
	v := uint64(0)
	for i, h := range in {
		v |= uint64(h) << (5 * i)
	}
	for n := 5 * len(in); n > 0; n -= 8 {
		dst = append(dst, byte(v))
		v >>= 8
	}
	return dst
}

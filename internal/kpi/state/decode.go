package state

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrFormat is a file that is not one of this package, of this version, or is damaged.
var ErrFormat = errors.New("not a valid state of KPIs")

// source is bytes that are decoded from the front. After an error it gives zeros.
type source struct {
	b   []byte
	bad bool
}

func (s *source) fail() { s.b, s.bad = nil, true }

// take gives the next n bytes.
func (s *source) take(n int) []byte {
	if n < 0 || n > len(s.b) {
		s.fail()
		return nil
	}
	b := s.b[:n:n]
	s.b = s.b[n:]
	return b
}

func (s *source) uvarint() uint64 {
	if len(s.b) > 0 && s.b[0] < 0x80 {
		v := s.b[0]
		s.b = s.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		s.fail()
		return 0
	}
	s.b = s.b[n:]
	return v
}

// uvarints fills dst with numbers of 32 bits. It is faster than to ask for each.
func (s *source) uvarints(dst []uint32) {
	b := s.b
	for i := range dst {
		if len(b) > 0 && b[0] < 0x80 {
			dst[i] = uint32(b[0])
			b = b[1:]
			continue
		}
		v, n := binary.Uvarint(b)
		if n <= 0 || v > math.MaxUint32 {
			s.fail()
			return
		}
		dst[i] = uint32(v)
		b = b[n:]
	}
	s.b = b
}

func (s *source) varint() int64 {
	v := s.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// size is a number of things that take each at least one byte, or one bit of bits.
func (s *source) size(each int) int {
	n := s.uvarint()
	if n > uint64(len(s.b)/each) {
		s.fail()
		return 0
	}
	return int(n)
}

func (s *source) count() int64 {
	n := int64(s.uvarint())
	if n < 0 {
		s.fail()
	}
	return n
}

func (s *source) uint64() uint64 {
	b := s.take(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (s *source) text() *string {
	n := s.uvarint()
	if n == 0 {
		return nil
	}
	v := string(s.take(int(min(n-1, 1<<32))))
	return &v
}

func (s *source) tally() (t tally) {
	t.rows, t.primary, t.counted = s.count(), s.count(), s.count()
	return t
}

func (s *source) genre() (g genre) {
	g.rows, g.durations, g.popularitys = s.count(), s.count(), s.count()
	g.duration = sum{s.uint64(), s.uint64()}
	g.popularity = sum{s.uint64(), s.uint64()}
	flag := s.take(1)
	if flag == nil || flag[0] == 0 {
		return g
	}
	g.top.any = true
	if g.top.noPopularity = flag[0] == 1; !g.top.noPopularity {
		g.top.popularity = s.varint()
	}
	g.top.name, g.top.artists = s.text(), s.text()
	return g
}

func (s *source) genres() (out genres) {
	out.none = s.genre()
	for range s.size(1) {
		name := s.text()
		if name == nil {
			s.fail()
			return out
		}
		*out.of(*name) = s.genre()
	}
	return out
}

// codes are codes below limit.
func (s *source) codes(dst []uint32, limit int) []uint32 {
	dst = resize(dst, s.size(1))
	s.deltas(dst, limit)
	return dst
}

// deltas fills dst with codes below limit, each of which is stored as its difference to the one before.
func (s *source) deltas(dst []uint32, limit int) {
	last := int64(0)
	b := s.b
	for i := range dst {
		var v uint64
		if len(b) > 0 && b[0] < 0x80 {
			v = uint64(b[0])
			b = b[1:]
		} else {
			var n int
			if v, n = binary.Uvarint(b); n <= 0 {
				s.fail()
				return
			}
			b = b[n:]
		}
		last += int64(v>>1) ^ -int64(v&1)
		if uint64(last) >= uint64(limit) {
			s.fail()
			return
		}
		dst[i] = uint32(last)
	}
	s.b = b
}

// masks are n sets of hours.
func (s *source) masks(dst []uint32, n int) []uint32 {
	b := s.take(3 * n)
	dst = dst[:0]
	for i := 0; i < len(b); i += 3 {
		dst = append(dst, uint32(b[i])|uint32(b[i+1])<<8|uint32(b[i+2])<<16)
	}
	return dst
}

// sets are sets of hours, of each of which the number is given.
func (s *source) sets(dst []uint32, numbers []uint32) []uint32 {
	total := 0
	for _, n := range numbers {
		if n > hours {
			s.fail()
			return nil
		}
		total += int(n)
	}
	in := s.hours(nil, total)
	if s.bad {
		return nil
	}
	dst = resize(dst, len(numbers))
	for i, n := range numbers {
		dst[i] = 0
		for _, h := range in[:n] {
			dst[i] |= 1 << h
		}
		in = in[n:]
	}
	return dst
}

// hours are n hours, five bits each.
func (s *source) hours(dst []uint8, n int) []uint8 {
	b := s.take((5*n + 7) / 8)
	dst = dst[:0]
	if b == nil {
		return dst
	}
	for ; len(b) >= 5; b = b[5:] {
		v := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32
		for range 8 {
			dst = append(dst, uint8(v&31))
			v >>= 5
		}
	}
	v := uint64(0)
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	for ; len(dst) < n; v >>= 5 {
		dst = append(dst, uint8(v&31))
	}
	dst = dst[:n]
	for _, h := range dst {
		if h >= hours {
			s.fail()
			return nil
		}
	}
	return dst
}

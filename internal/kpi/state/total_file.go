package state

import (
	"encoding/binary"
	"math/bits"
)

// Encode gives the Total as a file.
func (t *Total) Encode() []byte {
	dst := make([]byte, 0, 64<<10+3*len(t.users)+3*len(t.tracks)+(3+hours+hours/2)*len(t.artists))
	dst = append(dst, totalMagic...)
	dst = appendTally(dst, t.tally)
	dst = appendGenres(dst, &t.genres)
	for _, sets := range [][]uint32{t.users, t.tracks} {
		dst = binary.AppendUvarint(dst, uint64(len(sets)))
		dst = appendMasks(dst, sets)
	}
	dst = binary.AppendUvarint(dst, uint64(len(t.artists)))
	for at := range t.artists {
		dst = t.appendCounts(dst, uint32(at))
	}
	return dst
}

// appendCounts appends the hours of artists, and the numbers of their rows.
func (t *Total) appendCounts(dst []byte, at uint32) []byte {
	// Mostly all numbers fit into a byte, but whether there are some is as good as random: no branches.
	var out [3 + hours]byte
	k, mask, all := uint(3), uint32(0), uint16(0)
	for h, n := range t.artists[at] {
		some := uint32(n|-n) >> 15 & 1
		out[k] = byte(n)
		k += uint(some)
		mask |= some << h
		all |= n
	}
	if all < 0x80 && t.wide == nil {
		out[0], out[1], out[2] = byte(mask), byte(mask>>8), byte(mask>>16)
		return append(dst, out[:k]...)
	}
	var counts [hours]int64
	t.countsOf(at, &counts)
	mask = 0
	for h, n := range counts {
		if n > 0 {
			mask |= 1 << h
		}
	}
	dst = append(dst, byte(mask), byte(mask>>8), byte(mask>>16))
	for ; mask != 0; mask &= mask - 1 {
		dst = binary.AppendUvarint(dst, uint64(counts[bits.TrailingZeros32(mask)%hours]))
	}
	return dst
}

// Decode fills an empty Total from a file.
func (t *Total) Decode(data []byte) error {
	s, err := open(data, totalMagic)
	if err != nil {
		return err
	}
	t.tally = s.tally()
	t.genres = s.genres()
	t.users = s.masks(nil, s.size(3))
	t.tracks = s.masks(nil, s.size(3))
	artists := s.size(3)
	if s.bad || len(t.users) > t.keys.users.size() || len(t.tracks) > t.keys.tracks.size() || artists > t.keys.artists.size()+1 {
		return ErrFormat
	}
	t.fit()
	sum := int64(0)
	b := s.b
	for at := range artists {
		if len(b) < 3 {
			return ErrFormat
		}
		mask := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		b = b[3:]
		counts := &t.artists[at]
		for ; mask != 0; mask &= mask - 1 {
			h := bits.TrailingZeros32(mask) % hours
			if len(b) > 0 && b[0] < 0x80 {
				counts[h] = uint16(b[0])
				sum += int64(b[0])
				b = b[1:]
				continue
			}
			n, k := binary.Uvarint(b)
			if k <= 0 || int64(n) < 0 || int64(n) > t.counted-sum {
				return ErrFormat
			}
			b = b[k:]
			counts[h] = uint16(n)
			sum += int64(n)
			if n > narrow {
				t.carry(uint32(at), h, n&^narrow)
			}
		}
	}
	if len(b) > 0 || sum != t.counted {
		return ErrFormat
	}
	return nil
}

package state

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

// The kinds of file. Each begins with its name of five bytes; the last is the version of the layout.
const (
	objectMagic = "kpio\x01"
	totalMagic  = "kpit\x01"
	keysMagic   = "kpik\x01"
)

// NewObject begins the state of an object in an empty buffer: the parts of its row groups follow, in any order.
func NewObject(buf []byte) []byte { return append(buf, objectMagic...) }

// Join appends the parts of another state to one.
func Join(object, other []byte) []byte { return append(object, other[len(objectMagic):]...) }

// open checks the name in front.
func open(data []byte, magic string) (*source, error) {
	if len(data) < len(magic) || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrFormat, magic)
	}
	return &source{b: data[len(magic):]}, nil
}

// Loader adds states of objects to a Total. It belongs to one goroutine; several may have the same Total.
type Loader struct {
	total *Total
	part  part
	zstd  *zstd.Decoder
	plain []byte

	numbers []uint32 // of the hours of users
}

// NewLoader makes a Loader into a Total.
func NewLoader(t *Total) *Loader {
	d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<32)) // fails on options that are out of range only
	return &Loader{total: t, zstd: d}
}

// Close gives the Loader's memory back.
func (l *Loader) Close() { l.zstd.Close() }

// Add adds the state of an object. After an error the Total is of no use any more.
func (l *Loader) Add(data []byte) error {
	s, err := open(data, objectMagic)
	if err != nil {
		return err
	}
	for len(s.b) > 0 && err == nil {
		err = l.addPart(s)
	}
	return err
}

func (l *Loader) addPart(s *source) (err error) {
	size := s.uvarint()
	head := s.take(4)
	if head == nil || size > 1<<32 {
		return ErrFormat
	}
	var plain []byte
	if n := int(binary.LittleEndian.Uint32(head)); n > 0 {
		if l.plain, err = l.zstd.DecodeAll(s.take(n), l.plain[:0]); err != nil || uint64(len(l.plain)) != size {
			return fmt.Errorf("%w: its columns cannot be decompressed: %v", ErrFormat, err)
		}
		plain = l.plain
	} else {
		plain = s.take(int(size))
	}
	c, p, t := &source{b: plain}, &l.part, l.total
	p.tally = c.tally()
	g := c.genres()
	p.users = c.codes(p.users, t.keys.users.size())
	p.songs = c.codes(p.songs, t.keys.songs.size())
	p.counts = resize(p.counts, len(p.songs))
	c.uvarints(p.counts)
	left := p.counted
	for _, n := range p.counts {
		left -= int64(n)
	}
	lists := c.take(1)
	if c.bad || left != 0 || p.counted > int64(2*len(s.b)) {
		return ErrFormat
	}
	if lists[0] == 1 {
		l.numbers = resize(l.numbers, len(p.users))
		c.uvarints(l.numbers)
		p.hours = s.sets(p.hours, l.numbers)
	} else {
		p.hours = s.masks(p.hours, len(p.users))
	}
	p.in = s.hours(p.in, int(p.counted))
	if s.bad || c.bad {
		return ErrFormat
	}
	t.addPart(p, &g)
	return nil
}

// Encode gives the Total as a file.
func (t *Total) Encode() []byte {
	songs := len(t.songs)
	dst := make([]byte, 0, 64<<10+3*len(t.users)+(3+hours+hours/2)*songs)
	dst = append(dst, totalMagic...)
	dst = appendTally(dst, t.tally)
	dst = appendGenres(dst, &t.genres)
	dst = binary.AppendUvarint(dst, uint64(len(t.users)))
	dst = appendMasks(dst, t.users)
	dst = binary.AppendUvarint(dst, uint64(songs))
	for code := range songs {
		dst = t.appendCounts(dst, uint32(code))
	}
	return dst
}

// appendCounts appends the hours of a song, and the numbers of its rows.
func (t *Total) appendCounts(dst []byte, song uint32) []byte {
	// Mostly all numbers fit into a byte, but whether there are some is as good as random: no branches.
	var out [3 + hours]byte
	k, mask, all := uint(3), uint32(0), uint16(0)
	for h, n := range t.songs[song] {
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
	var counts [hours]uint64
	mask = t.countsOf(song, &counts)
	dst = append(dst, byte(mask), byte(mask>>8), byte(mask>>16))
	for ; mask != 0; mask &= mask - 1 {
		dst = binary.AppendUvarint(dst, counts[bits.TrailingZeros32(mask)%hours])
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
	users := s.size(3)
	t.users = s.masks(nil, users)
	songs := s.size(3)
	if s.bad || users > t.keys.users.size() || songs > t.keys.songs.size() {
		return ErrFormat
	}
	t.fit()
	sum := int64(0)
	b := s.b
	for code := range songs {
		if len(b) < 3 {
			return ErrFormat
		}
		mask := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		b = b[3:]
		counts := &t.songs[code]
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
				t.carry(uint32(code), h, n&^narrow)
			}
		}
	}
	s.b = b
	if s.bad || len(s.b) > 0 || sum != t.counted {
		return ErrFormat
	}
	return nil
}

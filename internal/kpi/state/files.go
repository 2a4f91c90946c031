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

// NewObject begins the state of an object: the parts of its row groups follow, in any order.
func NewObject() []byte { return []byte(objectMagic) }

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
	packed := s.take(int(binary.LittleEndian.Uint32(head)))
	if l.plain, err = l.zstd.DecodeAll(packed, l.plain[:0]); err != nil || uint64(len(l.plain)) != size {
		return fmt.Errorf("%w: its columns cannot be decompressed: %v", ErrFormat, err)
	}
	c, p, t := &source{b: l.plain}, &l.part, l.total
	p.tally = c.tally()
	g := c.genres()
	p.users = c.codes(p.users, t.keys.users.size())
	p.songs = c.codes(p.songs, t.keys.songs.size())
	p.counts = p.counts[:0]
	left := p.counted
	for range p.songs {
		n := c.count()
		if n > left {
			return ErrFormat
		}
		left -= n
		p.counts = append(p.counts, uint32(n))
	}
	if c.bad || left != 0 || p.counted > int64(2*len(s.b)) {
		return ErrFormat
	}
	p.hours = s.masks(p.hours, len(p.users))
	p.in = s.hours(p.in, int(p.counted))
	if s.bad {
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
	var counts [hours]uint64
	for code := range songs {
		mask := t.countsOf(uint32(code), &counts)
		dst = append(dst, byte(mask), byte(mask>>8), byte(mask>>16))
		for ; mask != 0; mask &= mask - 1 {
			n := counts[bits.TrailingZeros32(mask)%hours]
			if n < 0x80 {
				dst = append(dst, byte(n))
			} else {
				dst = binary.AppendUvarint(dst, n)
			}
		}
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
	for code := range songs {
		b := s.take(3)
		if b == nil {
			return ErrFormat
		}
		for mask := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16; mask != 0; mask &= mask - 1 {
			h := bits.TrailingZeros32(mask)
			n := s.count()
			if n > t.counted-sum {
				return ErrFormat
			}
			sum += n
			t.songs[code][h] = uint16(n)
			if n > narrow {
				t.carry(uint32(code), h, uint64(n)&^narrow)
			}
		}
	}
	if s.bad || len(s.b) > 0 || sum != t.counted {
		return ErrFormat
	}
	return nil
}

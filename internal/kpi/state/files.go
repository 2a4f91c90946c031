package state

import (
	"encoding/binary"
	"fmt"

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
	t.users = fit(t.users, t.keys.users.size())
	songs := t.keys.songs.size()
	dst := make([]byte, 0, 64<<10+3*len(t.users)+16*songs)
	dst = append(dst, totalMagic...)
	dst = appendTally(dst, t.tally)
	dst = appendGenres(dst, &t.genres)
	dst = binary.AppendUvarint(dst, uint64(len(t.users)))
	dst = appendMasks(dst, t.users)
	dst = binary.AppendUvarint(dst, uint64(songs))
	for code := range songs {
		at, mask := len(dst), uint32(0)
		dst = append(dst, 0, 0, 0)
		for h := range hours {
			if n := t.count(uint32(code), h); n > 0 {
				mask |= 1 << h
				dst = binary.AppendUvarint(dst, uint64(n))
			}
		}
		dst[at], dst[at+1], dst[at+2] = byte(mask), byte(mask>>8), byte(mask>>16)
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
	if t.counted > t.limit {
		t.wide = make([][hours]uint64, songs)
	}
	t.begin(0)
	sum := int64(0)
	for code := range songs {
		b := s.take(3)
		if b == nil {
			return ErrFormat
		}
		for h, mask := 0, uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16; mask != 0; h, mask = h+1, mask>>1 {
			if mask&1 == 0 {
				continue
			}
			n := s.count()
			if n > t.counted-sum || h >= hours {
				return ErrFormat
			}
			sum += n
			if t.wide != nil {
				t.wide[code][h] = uint64(n)
			} else {
				t.songs[code][h] = uint32(n)
			}
		}
	}
	if s.bad || len(s.b) > 0 || sum != t.counted {
		return ErrFormat
	}
	if t.wide == nil {
		t.narrow = sum
	}
	return nil
}

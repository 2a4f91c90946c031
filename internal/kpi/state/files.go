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

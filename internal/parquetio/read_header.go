package parquetio

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// pageHeader is what a page header tells of a page that mss could have written.
type pageHeader struct {
	kind               format.PageType
	size, uncompressed int
	crc                uint32 // 0 is none
	values             int
	encoding           format.Encoding
}

// parseHeader parses a page header, and returns its length. It is 20 times as fast as the general decoder, and knows the fields
// of data pages V1 and dictionary pages; it passes over all others. False means that the header is none of these, or damaged.
func parseHeader(b []byte) (h pageHeader, n int, ok bool) {
	t := compact{b: b}
	for field := int16(0); ; {
		typ, next := t.field(field)
		if field = next; typ == 0 {
			break
		}
		switch {
		case typ == compactI32 && field == 1:
			h.kind = format.PageType(t.varint())
		case typ == compactI32 && field == 2:
			h.uncompressed = int(int32(t.varint()))
		case typ == compactI32 && field == 3:
			h.size = int(int32(t.varint()))
		case typ == compactI32 && field == 4:
			h.crc = uint32(int32(t.varint()))
		case typ == compactStruct && (field == 5 || field == 7):
			for sub := int16(0); ; {
				typ, next := t.field(sub)
				if sub = next; typ == 0 {
					break
				}
				switch {
				case typ == compactI32 && sub == 1:
					h.values = int(int32(t.varint()))
				case typ == compactI32 && sub == 2:
					h.encoding = format.Encoding(t.varint())
				default:
					t.skip(typ, 0)
				}
			}
		default:
			t.skip(typ, 0)
		}
	}
	ours := h.kind == format.DataPage || h.kind == format.DictionaryPage
	return h, len(b) - len(t.b), !t.bad && ours && h.size >= 0 && h.uncompressed >= 0 && h.values >= 0
}

// compact reads thrift's compact protocol.
type compact struct {
	b   []byte
	bad bool
}

const (
	compactTrue   = 1
	compactFalse  = 2
	compactByte   = 3
	compactI32    = 5
	compactI64    = 6
	compactDouble = 7
	compactBinary = 8
	compactList   = 9
	compactSet    = 10
	compactStruct = 12
)

func (t *compact) fail() { t.b, t.bad = nil, true }

func (t *compact) byte() byte {
	if len(t.b) == 0 {
		t.fail()
		return 0
	}
	c := t.b[0]
	t.b = t.b[1:]
	return c
}

func (t *compact) uvarint() uint64 {
	v, n := binary.Uvarint(t.b)
	if n <= 0 {
		t.fail()
		return 0
	}
	t.b = t.b[n:]
	return v
}

func (t *compact) varint() int64 {
	u := t.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// field reads the head of a field: its type, 0 at the end of the struct, and its id.
func (t *compact) field(last int16) (typ byte, id int16) {
	c := t.byte()
	if c == 0 {
		return 0, 0
	}
	if delta := int16(c >> 4); delta != 0 {
		return c & 15, last + delta
	}
	return c & 15, int16(t.varint())
}

// skip passes over a value.
func (t *compact) skip(typ byte, depth int) {
	if depth > 8 {
		t.fail()
		return
	}
	switch typ {
	case compactTrue, compactFalse:
	case compactByte:
		t.byte()
	case compactI32 - 1, compactI32, compactI64:
		t.uvarint()
	case compactDouble:
		t.take(8)
	case compactBinary:
		t.take(t.uvarint())
	case compactList, compactSet:
		c := t.byte()
		n := uint64(c >> 4)
		if n == 15 {
			n = t.uvarint()
		}
		for ; n > 0 && !t.bad; n-- {
			if elem := c & 15; elem == compactTrue || elem == compactFalse {
				t.byte()
			} else {
				t.skip(elem, depth+1)
			}
		}
	case compactStruct:
		for id := int16(0); ; {
			typ, next := t.field(id)
			if id = next; typ == 0 {
				return
			}
			t.skip(typ, depth+1)
		}
	default:
		t.fail()
	}
}

func (t *compact) take(n uint64) {
	if n > uint64(len(t.b)) {
		t.fail()
		return
	}
	t.b = t.b[n:]
}

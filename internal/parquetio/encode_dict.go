package parquetio

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"github.com/klauspost/compress/s2"

	"mss/internal/schema"
)

// Dict is a dictionary page: the values of the codes 0 to Len()-1, in PLAIN encoding. The values of an immutable Dict ascend
// strictly, unless it is an extension.
type Dict struct {
	kind    schema.Kind
	n       int
	plain   []byte
	offs    []uint32 // String: where the bytes of each value begin in plain
	packed  *packed  // nil until Compress
	scratch []byte
}

// NewDict is an empty dictionary of a kind: String, Int64, Timestamp or Double.
func NewDict(kind schema.Kind) *Dict { return &Dict{kind: kind} }

// Len is the number of values.
func (d *Dict) Len() int { return d.n }

// Reset empties the dictionary, keeping its memory.
func (d *Dict) Reset() {
	d.n, d.plain, d.offs, d.packed = 0, d.plain[:0], d.offs[:0], nil
}

// Grow makes room for n more values, texts of size bytes in all.
func (d *Dict) Grow(n, size int) {
	if d.kind != schema.String {
		d.plain = slices.Grow(d.plain, 8*n)
		return
	}
	d.plain = slices.Grow(d.plain, 4*n+size)
	d.offs = slices.Grow(d.offs, n)
}

// AddString appends a value.
func (d *Dict) AddString(v string) {
	d.plain = binary.LittleEndian.AppendUint32(d.plain, uint32(len(v)))
	d.offs = append(d.offs, uint32(len(d.plain)))
	d.plain = append(d.plain, v...)
	d.n++
}

// AddText appends a value.
func (d *Dict) AddText(v []byte) {
	d.plain = binary.LittleEndian.AppendUint32(d.plain, uint32(len(v)))
	d.offs = append(d.offs, uint32(len(d.plain)))
	d.plain = append(d.plain, v...)
	d.n++
}

// AddInt appends a value.
func (d *Dict) AddInt(v int64) {
	d.plain = binary.LittleEndian.AppendUint64(d.plain, uint64(v))
	d.n++
}

// AddDouble appends a value.
func (d *Dict) AddDouble(v float64) { d.AddInt(int64(math.Float64bits(v))) }

// value is the PLAIN encoding of a code's value, for texts without their length.
func (d *Dict) value(code uint32) []byte {
	if d.kind == schema.String {
		o := d.offs[code]
		n := binary.LittleEndian.Uint32(d.plain[o-4:])
		return d.plain[o : o+n : o+n]
	}
	return d.plain[8*code : 8*code+8 : 8*code+8]
}

// Int is the value of a code of an Int64 or Timestamp dictionary.
func (d *Dict) Int(code uint32) int64 {
	return int64(binary.LittleEndian.Uint64(d.plain[8*code:]))
}

// Text is the value of a code of a String dictionary.
func (d *Dict) Text(code uint32) []byte { return d.value(code) }

// compare orders two PLAIN values as Parquet does.
func compare(kind schema.Kind, a, b []byte) int {
	if kind == schema.String {
		return bytes.Compare(a, b)
	}
	x, y := int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b))
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// Sorted says whether the values ascend strictly.
func (d *Dict) Sorted() bool {
	for i := 1; i < d.n; i++ {
		if compare(d.kind, d.value(uint32(i-1)), d.value(uint32(i))) >= 0 {
			return false
		}
	}
	return true
}

// Compress compresses the values once, for a dictionary that is written into many row groups.
func (d *Dict) Compress() {
	if d.packed == nil {
		p := d.pack(&d.scratch)
		if !p.literal {
			p.elements = bytes.Clone(p.elements)
		}
		d.packed = &p
	}
}

// packed is a stretch of a page as Snappy elements, without the length that Snappy writes first: the elements of several stretches can
// stand one behind the other, for a copy reaches back within its own stretch only.
type packed struct {
	elements []byte
	literal  bool // elements are the bytes themselves, and want the head of a literal
}

// Large dictionaries that Snappy saves less than a tenth of are not compressed: a reader can then take them as they are stored. Random
// ids are such.
const (
	large       = 64 << 10
	worthTenths = 9
)

// pack compresses the values, into scratch. The result is valid as long as that and the dictionary stay as they are.
func (d *Dict) pack(scratch *[]byte) packed {
	if d.packed != nil {
		return *d.packed
	}
	*scratch = slices.Grow((*scratch)[:0], s2.MaxEncodedLen(len(d.plain)))
	*scratch = s2.EncodeSnappy((*scratch)[:cap(*scratch)], d.plain)
	_, n := binary.Uvarint(*scratch)
	if elements := (*scratch)[n:]; len(d.plain) < large || 10*len(elements) <= worthTenths*len(d.plain) {
		return packed{elements: elements}
	}
	return packed{d.plain, true}
}

// snappyParts gives the parts of a Snappy page that is made of stretches.
func snappyParts(stretches ...packed) (parts [][]byte) {
	for i := 0; i < len(stretches); i++ {
		p := stretches[i]
		if !p.literal {
			parts = append(parts, p.elements)
			continue
		}
		// Neighbours make one literal, which a reader need not even copy.
		first, size := i, len(p.elements)
		for ; i+1 < len(stretches) && stretches[i+1].literal; i++ {
			size += len(stretches[i+1].elements)
		}
		parts = append(parts, literalHead(size))
		for _, p := range stretches[first : i+1] {
			parts = append(parts, p.elements)
		}
	}
	return parts
}

// literalHead is the head of a literal of n bytes, at least one.
func literalHead(n int) []byte {
	if n <= 60 {
		return []byte{byte(n-1) << 2}
	}
	head := []byte{0}
	for v := n - 1; v > 0; v >>= 8 {
		head = append(head, byte(v))
	}
	head[0] = byte(59+len(head)-1) << 2
	return head
}

// Subset fills dst with the values whose code is used, in the same order, and remap[code] with their new codes.
func (d *Dict) Subset(dst *Dict, used []bool, remap []uint32) {
	dst.Reset()
	dst.kind = d.kind
	for code, u := range used {
		if !u {
			continue
		}
		remap[code] = uint32(dst.n)
		if d.kind == schema.String {
			dst.AddText(d.value(uint32(code)))
		} else {
			dst.plain = append(dst.plain, d.value(uint32(code))...)
			dst.n++
		}
	}
}

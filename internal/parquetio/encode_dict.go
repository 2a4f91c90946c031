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
	kind     schema.Kind
	n        int
	plain    []byte
	offs     []uint32 // String: where the bytes of each value begin in plain
	elements []byte   // plain as Snappy elements, without the length in front; nil until Compress
	scratch  []byte
}

// NewDict is an empty dictionary of a kind: String, Int64, Timestamp or Double.
func NewDict(kind schema.Kind) *Dict { return &Dict{kind: kind} }

// Len is the number of values.
func (d *Dict) Len() int { return d.n }

// Reset empties the dictionary, keeping its memory.
func (d *Dict) Reset() {
	d.n, d.plain, d.offs, d.elements = 0, d.plain[:0], d.offs[:0], nil
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
	if d.elements == nil {
		d.elements, d.scratch = snappyElements(d.scratch, d.plain)
		d.elements = bytes.Clone(d.elements)
	}
}

// snappyElements compresses src, and cuts the length off that Snappy writes first: the elements of several stretches can
// then stand one behind the other, for a copy reaches back within its own stretch only.
func snappyElements(scratch, src []byte) (elements, buf []byte) {
	buf = slices.Grow(scratch[:0], s2.MaxEncodedLen(len(src)))
	buf = s2.EncodeSnappy(buf[:cap(buf)], src)
	_, n := binary.Uvarint(buf)
	return buf[n:], buf
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

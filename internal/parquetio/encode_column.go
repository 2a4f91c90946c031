package parquetio

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"mss/internal/schema"
)

// ColumnEncoder gives the values of a column codes, in order of their first appearance; Finish sorts them.
type ColumnEncoder struct {
	kind  schema.Kind
	texts map[string]uint32
	text  []string
	ints  map[int64]uint32 // doubles by their bits
	int   []int64
}

// NewColumnEncoder makes an encoder of values of a kind.
func NewColumnEncoder(kind schema.Kind) *ColumnEncoder {
	return &ColumnEncoder{kind: kind, texts: map[string]uint32{}, ints: map[int64]uint32{}}
}

// Text is the code of a text.
func (e *ColumnEncoder) Text(v string) uint32 {
	code, ok := e.texts[v]
	if !ok {
		code = uint32(len(e.text))
		e.texts[v] = code
		e.text = append(e.text, v)
	}
	return code
}

// Int is the code of an integer or a timestamp.
func (e *ColumnEncoder) Int(v int64) uint32 {
	code, ok := e.ints[v]
	if !ok {
		code = uint32(len(e.int))
		e.ints[v] = code
		e.int = append(e.int, v)
	}
	return code
}

// Double is the code of a double.
func (e *ColumnEncoder) Double(v float64) uint32 { return e.Int(int64(math.Float64bits(v))) }

// code is the code of value i.
func (e *ColumnEncoder) code(v *values, i int) uint32 {
	switch e.kind {
	case schema.String:
		if code, ok := e.texts[string(v.textAt(i))]; ok { // no copy of the text
			return code
		}
		return e.Text(string(v.textAt(i)))
	case schema.Double:
		return e.Double(v.floats[i])
	case schema.Bool:
		if v.bit(i) {
			return 1
		}
		return 0
	}
	return e.Int(v.ints[i])
}

// Finish sorts the values, and turns the codes, of which some may be Null, into those of the sorted dictionary, in place.
func (e *ColumnEncoder) Finish(codes []uint32) ColumnData {
	if e.kind == schema.Bool {
		return ColumnData{Codes: codes}
	}
	dict := NewDict(e.kind)
	sorted := make([]uint32, max(len(e.text), len(e.int)))
	if e.kind == schema.String {
		for code, first := range e.sortTexts(dict) {
			sorted[first.code] = uint32(code)
			dict.AddString(e.text[first.code])
		}
	} else {
		order := slices.Clone(e.int)
		slices.Sort(order)
		dict.Grow(len(order), 0)
		for code, v := range order {
			sorted[e.ints[v]] = uint32(code)
			dict.AddInt(v)
		}
	}
	for i, c := range codes {
		if c != Null {
			codes[i] = sorted[c]
		}
	}
	return ColumnData{Dict: dict, Codes: codes}
}

// textKey is a text's code and its first eight bytes; most comparisons need no more.
type textKey struct {
	prefix uint64
	code   uint32
}

func (e *ColumnEncoder) sortTexts(dict *Dict) []textKey {
	keys := make([]textKey, len(e.text))
	size := 0
	for i, v := range e.text {
		var b [8]byte
		copy(b[:], v)
		keys[i] = textKey{binary.BigEndian.Uint64(b[:]), uint32(i)}
		size += len(v)
	}
	dict.Grow(len(keys), size)
	slices.SortFunc(keys, func(a, b textKey) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return strings.Compare(e.text[a.code], e.text[b.code])
	})
	return keys
}

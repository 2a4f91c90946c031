package parquetio

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"mss/internal/schema"
)

// ColumnEncoder gives the values of a column codes, in order of their first appearance; Finish sorts them. As long as the values do not
// descend, as those of a column that the rows are sorted by, none is looked up, and there is nothing to sort.
type ColumnEncoder struct {
	kind  schema.Kind
	texts map[string]uint32 // nil as long as they ascend
	text  []string
	ints  map[int64]uint32 // doubles by their bits; likewise
	int   []int64
}

// NewColumnEncoder makes an encoder of values of a kind.
func NewColumnEncoder(kind schema.Kind) *ColumnEncoder { return &ColumnEncoder{kind: kind} }

// Text is the code of a text.
func (e *ColumnEncoder) Text(v string) uint32 { return numbered(v, &e.texts, &e.text) }

// Int is the code of an integer or a timestamp.
func (e *ColumnEncoder) Int(v int64) uint32 { return numbered(v, &e.ints, &e.int) }

// numbered gives a value's number in values, to which it is added when it is new.
func numbered[V cmp.Ordered](v V, numbers *map[V]uint32, values *[]V) uint32 {
	n := len(*values)
	if *numbers == nil {
		if n == 0 || v > (*values)[n-1] {
			*values = append(*values, v)
			return uint32(n)
		}
		if v == (*values)[n-1] {
			return uint32(n - 1)
		}
		*numbers = make(map[V]uint32, 2*n)
		for i, w := range *values {
			(*numbers)[w] = uint32(i)
		}
	}
	code, ok := (*numbers)[v]
	if !ok {
		code = uint32(n)
		(*numbers)[v] = code
		*values = append(*values, v)
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
	switch {
	case e.texts == nil && e.ints == nil:
		e.ascending(dict)
		return ColumnData{Dict: dict, Codes: codes}
	case e.kind == schema.String:
		for code, first := range e.sortTexts(dict) {
			sorted[first.code] = uint32(code)
			dict.AddString(e.text[first.code])
		}
	default:
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

// ascending fills the dictionary with values that are in order.
func (e *ColumnEncoder) ascending(dict *Dict) {
	size := 0
	for _, v := range e.text {
		size += len(v)
	}
	dict.Grow(max(len(e.text), len(e.int)), size)
	for _, v := range e.text {
		dict.AddString(v)
	}
	for _, v := range e.int {
		dict.AddInt(v)
	}
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

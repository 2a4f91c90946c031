package kpi

import (
	"bytes"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// textTable numbers texts, across all batches of a state.
type textTable struct {
	codes  map[string]uint32
	values []string
	cache  dictCache
}

func newTextTable() *textTable { return &textTable{codes: map[string]uint32{}} }

func (t *textTable) code(v []byte) uint32 {
	if code, ok := t.codes[string(v)]; ok {
		return code
	}
	return t.add(string(v))
}

func (t *textTable) add(v string) uint32 {
	if code, ok := t.codes[v]; ok {
		return code
	}
	code := uint32(len(t.values))
	t.codes[v] = code
	t.values = append(t.values, v)
	return code
}

// intTable numbers integers.
type intTable struct {
	codes  map[int64]uint32
	values []int64
	cache  dictCache
}

func newIntTable() *intTable { return &intTable{codes: map[int64]uint32{}} }

func (t *intTable) code(v int64) uint32 {
	code, ok := t.codes[v]
	if !ok {
		code = uint32(len(t.values))
		t.codes[v] = code
		t.values = append(t.values, v)
	}
	return code
}

// dictCache remembers the codes of the last dictionary. The dictionaries of row groups mostly begin alike, or are the same.
type dictCache struct {
	dict  arrow.Array
	codes []uint32
}

// is says whether dict is the cached one. Batches that share a dictionary wrap the same data in arrays of their own.
func (c *dictCache) is(dict arrow.Array) bool { return c.dict != nil && c.dict.Data() == dict.Data() }

// set takes over a dictionary, and drops the one before.
func (c *dictCache) set(dict arrow.Array, codes []uint32) {
	dict.Retain()
	if c.dict != nil {
		c.dict.Release()
	}
	c.dict, c.codes = dict, codes
}

// dict gives the table's code for each value of a dictionary.
func (t *textTable) dict(values *array.String) []uint32 {
	if t.cache.is(values) {
		return t.cache.codes
	}
	codes := make([]uint32, values.Len())
	same := 0
	if old, ok := t.cache.dict.(*array.String); ok {
		same = commonTexts(old, values)
		copy(codes, t.cache.codes[:same])
	}
	for i := same; i < len(codes); i++ {
		codes[i] = t.code(textAt(values, i))
	}
	t.cache.set(values, codes)
	return codes
}

// commonTexts counts the values at the front that two dictionaries share.
func commonTexts(a, b *array.String) int {
	ao, bo := a.ValueOffsets(), b.ValueOffsets()
	n := min(a.Len(), b.Len())
	same := 0
	for same < n && ao[same+1]-ao[0] == bo[same+1]-bo[0] {
		same++
	}
	ab, bb := a.ValueBytes(), b.ValueBytes()
	if bytes.Equal(ab[:ao[same]-ao[0]], bb[:bo[same]-bo[0]]) {
		return same
	}
	for i := range same {
		if !bytes.Equal(textAt(a, i), textAt(b, i)) {
			return i
		}
	}
	return same
}

// textAt is value i, without making a string of it.
func textAt(a *array.String, i int) []byte {
	o := a.ValueOffsets()
	return a.ValueBytes()[o[i]-o[0] : o[i+1]-o[0]]
}

// dict gives the table's code for each value of a dictionary.
func (t *intTable) dict(values arrow.Array) []uint32 {
	if t.cache.is(values) {
		return t.cache.codes
	}
	ints := intsOf(values)
	codes := make([]uint32, len(ints))
	same := 0
	if t.cache.dict != nil {
		old := intsOf(t.cache.dict)
		for same < min(len(old), len(ints)) && old[same] == ints[same] {
			same++
		}
		copy(codes, t.cache.codes[:same])
	}
	for i := same; i < len(ints); i++ {
		codes[i] = t.code(ints[i])
	}
	t.cache.set(values, codes)
	return codes
}

// intsOf gives the values of an Int64 or Timestamp array.
func intsOf(a arrow.Array) []int64 {
	switch a := a.(type) {
	case *array.Int64:
		return a.Int64Values()
	case *array.Timestamp:
		return arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(a.TimestampValues()))
	}
	return nil
}

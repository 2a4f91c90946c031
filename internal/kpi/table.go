package kpi

import (
	"bytes"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// tables number the keys of a State. The states of a job's workers share them, so that each key is numbered once, and merging
// these states needs no look-up.
type tables struct {
	genres, tracks, artists *textTable
	users                   *intTable
}

func newTables() *tables {
	return &tables{newTextTable(), newTextTable(), newTextTable(), &intTable{codes: map[int64]uint32{}}}
}

// textTable numbers texts. Its methods may be called concurrently.
type textTable struct {
	mu     sync.Mutex
	codes  map[string]uint32
	values []string
	last   dictCache // of whichever state was the last to ask
}

func newTextTable() *textTable { return &textTable{codes: map[string]uint32{}} }

func (t *textTable) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.values)
}

// add gives a text's code, a new one when it has none.
func (t *textTable) add(v string) uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.code([]byte(v))
}

// code is add, for a caller that holds the lock.
func (t *textTable) code(v []byte) uint32 {
	if code, ok := t.codes[string(v)]; ok { // no copy of the text
		return code
	}
	code := uint32(len(t.values))
	text := string(v)
	t.codes[text] = code
	t.values = append(t.values, text)
	return code
}

// intTable numbers integers, likewise.
type intTable struct {
	mu     sync.Mutex
	codes  map[int64]uint32
	values []int64
	last   dictCache
}

func (t *intTable) add(v int64) uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.code(v)
}

func (t *intTable) code(v int64) uint32 {
	code, ok := t.codes[v]
	if !ok {
		code = uint32(len(t.values))
		t.codes[v] = code
		t.values = append(t.values, v)
	}
	return code
}

// dictCache remembers the codes of a dictionary. The dictionaries of row groups mostly begin alike, or are the same.
type dictCache struct {
	dict  arrow.Array
	codes []uint32 // never changed once made
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

// dict gives the code for each value of a dictionary; cache is the asking state's.
func (t *textTable) dict(values *array.String, cache *dictCache) []uint32 {
	if cache.is(values) {
		return cache.codes
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	codes := make([]uint32, values.Len())
	same := 0
	if old, ok := t.last.dict.(*array.String); ok {
		same = commonTexts(old, values)
		copy(codes, t.last.codes[:same])
	}
	if len(t.codes) == 0 {
		t.codes = make(map[string]uint32, len(codes))
		t.values = make([]string, 0, len(codes))
	}
	for i := same; i < len(codes); i++ {
		codes[i] = t.code(textAt(values, i))
	}
	t.last.set(values, codes)
	cache.set(values, codes)
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

// dict gives the code for each value of a dictionary; cache is the asking state's.
func (t *intTable) dict(values arrow.Array, cache *dictCache) []uint32 {
	if cache.is(values) {
		return cache.codes
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	ints := intsOf(values)
	codes := make([]uint32, len(ints))
	same := 0
	if t.last.dict != nil {
		old := intsOf(t.last.dict)
		for same < min(len(old), len(ints)) && old[same] == ints[same] {
			same++
		}
		copy(codes, t.last.codes[:same])
	}
	if len(t.codes) == 0 {
		t.codes = make(map[int64]uint32, len(codes))
	}
	for i := same; i < len(ints); i++ {
		codes[i] = t.code(ints[i])
	}
	t.last.set(values, codes)
	cache.set(values, codes)
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

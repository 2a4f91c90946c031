package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"

	"mss/internal/schema"
)

// Dictionary is a dictionary that was read: the values of the codes 0 to Len()-1. It is never changed. Dictionaries of row groups that
// mss wrote mostly differ in their last values only: then they share the memory of the others.
type Dictionary struct {
	kind  schema.Kind
	n     int
	plain []byte   // the values from cut on, in PLAIN encoding
	offs  []uint32 // String: where the bytes of each of these begin in plain

	front *Dictionary // has the values below cut; it has no front itself
	cut   int
}

// Len is the number of values.
func (d *Dictionary) Len() int { return d.n }

// Text is the value of a code of a String dictionary.
func (d *Dictionary) Text(code uint32) []byte {
	if int(code) < d.cut {
		d = d.front
	}
	o := d.offs[int(code)-d.cut]
	n := binary.LittleEndian.Uint32(d.plain[o-4:])
	return d.plain[o : o+n : o+n]
}

// AppendInts appends all values of an Int64 or Timestamp dictionary.
func (d *Dictionary) AppendInts(dst []int64) []int64 {
	dst = slices.Grow(dst, d.n)
	if d.front != nil {
		dst = appendInts(dst, d.front.plain[:8*d.cut])
	}
	return appendInts(dst, d.plain[:8*(d.n-d.cut)])
}

func appendInts(dst []int64, plain []byte) []int64 {
	for ; len(plain) >= 8; plain = plain[8:] {
		dst = append(dst, int64(binary.LittleEndian.Uint64(plain)))
	}
	return dst
}

// Steps says whether each value of an Int64 or Timestamp dictionary is the one before and step, and gives the first; false when there
// is none.
func (d *Dictionary) Steps(step int64) (first int64, ok bool) {
	if d.n == 0 || d.front != nil {
		return 0, false
	}
	first = int64(binary.LittleEndian.Uint64(d.plain))
	want, differ := first, int64(0)
	for b := d.plain[:8*d.n]; len(b) >= 8; b = b[8:] {
		differ |= int64(binary.LittleEndian.Uint64(b)) ^ want
		want += step
	}
	return first, differ == 0
}

// Common is how many values at the front are known to be the same in both.
func (d *Dictionary) Common(o *Dictionary) int {
	switch {
	case d == o:
		return d.n
	case o == nil:
		return 0
	case d.front == o:
		return d.cut
	case o.front == d:
		return o.cut
	case d.front != nil && d.front == o.front:
		return min(d.cut, o.cut)
	}
	return 0
}

// parseDictionary makes a dictionary of n values in PLAIN encoding. It keeps plain.
func parseDictionary(kind schema.Kind, plain []byte, n int) (*Dictionary, error) {
	d := &Dictionary{kind: kind, n: n, plain: plain}
	if kind != schema.String {
		if len(plain)/8 < n {
			return nil, fmt.Errorf("%w: a dictionary is cut off", ErrFormat)
		}
		return d, nil
	}
	if len(plain) > math.MaxUint32 || n > len(plain)/4 {
		return nil, fmt.Errorf("%w: a dictionary is cut off", ErrFormat)
	}
	d.offs = make([]uint32, n)
	at := uint64(0)
	for i := range d.offs {
		if at+4 > uint64(len(plain)) {
			return nil, fmt.Errorf("%w: a dictionary is cut off", ErrFormat)
		}
		d.offs[i] = uint32(at) + 4
		at += 4 + uint64(binary.LittleEndian.Uint32(plain[at:]))
	}
	if at > uint64(len(plain)) {
		return nil, fmt.Errorf("%w: a dictionary is cut off", ErrFormat)
	}
	return d, nil
}

// behind makes a dictionary of n values in PLAIN encoding that shares its first ones with front. It does not keep plain. It is nil when
// there is little to share.
func behind(front *Dictionary, plain []byte, n int) (*Dictionary, error) {
	same := commonBytes(front.plain, plain)
	cut := same / 8
	if front.kind == schema.String {
		// The values that end within the bytes that are the same.
		cut = sort.Search(front.n, func(i int) bool { return front.end(i) > same })
	}
	cut = min(cut, front.n, n)
	if cut < n/2 {
		return nil, nil
	}
	from := 0
	if cut > 0 {
		from = front.end(cut - 1)
	}
	d, err := parseDictionary(front.kind, bytes.Clone(plain[from:]), n-cut)
	if err != nil {
		return nil, err
	}
	d.n, d.front, d.cut = n, front, cut
	return d, nil
}

// end is where value i ends in plain.
func (d *Dictionary) end(i int) int {
	if d.kind != schema.String {
		return 8 * (i + 1)
	}
	o := d.offs[i]
	return int(o + binary.LittleEndian.Uint32(d.plain[o-4:]))
}

// commonBytes is how many bytes at the front are the same.
func commonBytes(a, b []byte) int {
	n := min(len(a), len(b))
	at := 0
	for step := 4096; step > 0; step /= 8 {
		for at+step <= n && bytes.Equal(a[at:at+step], b[at:at+step]) {
			at += step
		}
	}
	return at
}

// DictCache shares dictionaries among readers, also of several goroutines. Of each column it keeps one that had nothing to share with
// those before it.
type DictCache struct {
	mu   sync.Mutex
	cols map[string]*cachedColumn
}

type cachedColumn struct {
	first sync.Mutex // held while the first dictionary is decoded: others wait for it, for theirs is mostly the same
	mu    sync.Mutex
	page  []byte // as it is stored, compressed
	front *Dictionary
}

func (c *DictCache) column(name string) *cachedColumn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cols == nil {
		c.cols = map[string]*cachedColumn{}
	}
	if c.cols[name] == nil {
		c.cols[name] = &cachedColumn{}
	}
	return c.cols[name]
}

// get gives the dictionary that others share values with, nil when there is none, and whether its page is equal to this one.
func (c *cachedColumn) get(page []byte) (front *Dictionary, same bool) {
	c.mu.Lock()
	front, stored := c.front, c.page
	c.mu.Unlock()
	return front, front != nil && bytes.Equal(stored, page)
}

// keep makes a dictionary the one that others share values with, and keeps the page, too.
func (c *cachedColumn) keep(page []byte, d *Dictionary) {
	c.mu.Lock()
	c.page, c.front = page, d
	c.mu.Unlock()
}

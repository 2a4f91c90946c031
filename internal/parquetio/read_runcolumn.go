package parquetio

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"mss/internal/schema"
)

// runColumn is a column of the current row group.
type runColumn struct {
	columnReader
	RunColumn
	chunk  *runChunk
	stored storedPage // the dictionary's; its raw is nil when there is none
	pages  []storedPage
	found  *Dictionary

	runs    Runs    // of the current page
	present Runs    // 1 where there is a value
	values  Runs    // of the rows that are not null
	codes   []int32 // by row
	ints    []int64 // by row, of a plain page
	scratch []int32
}

// storedPage is a data page that is not decoded yet.
type storedPage struct {
	pageHeader
	raw []byte
}

// take turns to a chunk.
func (c *runColumn) take(k *runChunk) {
	c.RunColumn, c.chunk = k.RunColumn, k
	c.col, c.st, c.meta, c.left, c.data = k.Column, k.st, k.meta, k.rows, k.data
}

// list goes through the pages without decoding them. It is false when there is one that mss does not write.
func (c *runColumn) list() bool {
	c.pages, c.found, c.stored = c.pages[:0], nil, storedPage{}
	if dict := c.chunk.dict; len(dict) > 0 {
		h, n, ok := parseHeader(dict)
		if !ok || h.kind != format.DictionaryPage || h.encoding != format.Plain || h.size != len(dict)-n || c.Kind == schema.Bool {
			return false
		}
		c.stored = storedPage{h, dict[n:]}
	}
	left := c.left
	for at := 0; at < len(c.data); {
		h, n, ok := parseHeader(c.data[at:])
		if at += n; !ok || h.kind != format.DataPage || h.size > len(c.data)-at {
			return false
		}
		c.pages = append(c.pages, storedPage{h, c.data[at : at+h.size]})
		at += h.size
		plain := c.Kind == schema.Bool || c.ByRow
		if left -= int64(h.values); left < 0 || !(c.stored.raw != nil && h.encoding == format.RLEDictionary || plain && h.encoding == format.Plain) {
			return false
		}
	}
	return left == 0
}

// check compares a page with its checksum.
func (c *runColumn) check(p *storedPage) error {
	if p.crc != 0 && p.crc != crc32.ChecksumIEEE(p.raw) {
		return c.damaged("a page does not have the checksum that its header tells")
	}
	return nil
}

// readDict decodes the dictionary page, into buf.
func (c *runColumn) readDict(cache *DictCache, buf *[]byte) (err error) {
	p := &c.stored
	var col *cachedColumn
	var front *Dictionary
	if !c.Own {
		col = cache.column(c.Name)
		var same bool
		if front, same = col.get(p.raw); front == nil {
			col.first.Lock()
			defer col.first.Unlock()
			front, same = col.get(p.raw)
		}
		if same {
			c.found = front
			return nil
		}
	}
	if err := c.check(p); err != nil {
		return err
	}
	c.body, *buf = *buf, c.body
	plain, err := c.decompress(p.raw, p.uncompressed)
	c.body, *buf = *buf, c.body
	if err != nil {
		return err
	}
	c.found = nil
	if front != nil {
		c.found, err = behind(front, plain, p.values)
	}
	if c.found == nil && err == nil {
		c.found, err = parseDictionary(c.Kind, plain, p.values)
		if err == nil && !c.Own {
			col.keep(p.raw, c.found)
			c.chunk.dict, *buf = nil, nil // they are the cache's now
		}
	}
	if err != nil {
		return fmt.Errorf("column %s: %w", c.Name, err)
	}
	return nil
}

// decode decodes a page.
func (c *runColumn) decode(p *storedPage) error {
	if err := c.check(p); err != nil {
		return err
	}
	body, err := c.decompress(p.raw, p.uncompressed)
	if err != nil {
		return err
	}
	rows := p.values
	nulls := 0
	if c.st.optional {
		if body, nulls, err = c.decodePresence(body, rows); err != nil {
			return err
		}
	}
	if nulls > 0 && !c.Nullable {
		return fmt.Errorf("column %s: it holds a null, but every row must have a value", c.Name)
	}
	switch {
	case c.Kind == schema.Bool:
		if len(body) < (rows+7)/8 {
			return c.damaged("a page is cut off")
		}
		c.runs.reset()
		c.runs.addBits(body, rows)
		return nil
	case p.encoding == format.Plain:
		return c.decodeInts(body, rows)
	case len(body) == 0:
		return c.damaged("a page is empty")
	case c.ByRow:
		c.ints = nil
		return c.decodeRows(body, rows)
	}
	out := &c.runs
	if nulls > 0 {
		out = &c.values
	}
	out.reset()
	if c.scratch, err = decodeHybridRuns(out, c.scratch, body[1:], int(body[0]), 0, rows-nulls); err != nil {
		return fmt.Errorf("column %s: %w", c.Name, err)
	}
	if g := out.greatest(); int(g) >= c.found.n {
		return c.damaged("a code %d in a dictionary of %d values", g, c.found.n)
	}
	if nulls > 0 {
		c.runs.reset()
		c.runs.spread(&c.present, &c.values)
	}
	return nil
}

// decodePresence reads the definition levels: it tells how many rows are null and, if some are, fills in c.present.
func (c *runColumn) decodePresence(body []byte, rows int) (rest []byte, nulls int, err error) {
	if len(body) < 4 || int64(binary.LittleEndian.Uint32(body)) > int64(len(body)-4) {
		return nil, 0, c.damaged("the levels of a page are cut off")
	}
	k := 4 + int(binary.LittleEndian.Uint32(body))
	c.present.reset()
	if c.scratch, err = decodeHybridRuns(&c.present, c.scratch, body[4:k], 1, 0, rows); err != nil {
		return nil, 0, fmt.Errorf("column %s: %w", c.Name, err)
	}
	from := int32(0)
	for i, end := range c.present.Ends {
		if c.present.Codes[i] == 0 {
			nulls += int(end - from)
		}
		from = end
	}
	return body[k:], nulls, nil
}

func (c *runColumn) decodeInts(body []byte, rows int) error {
	if len(body)/8 < rows {
		return c.damaged("a page is cut off")
	}
	c.codes, c.ints = nil, fit(c.ints, rows)
	for i := range c.ints {
		c.ints[i] = int64(binary.LittleEndian.Uint64(body[8*i:]))
	}
	return nil
}

func (c *runColumn) decodeRows(body []byte, rows int) error {
	c.codes = fit(c.codes, rows+8)[:rows] // the decoder fills up its last group
	if err := decodeHybridCodes(c.codes, body[1:], int(body[0])); err != nil {
		return fmt.Errorf("column %s: %w", c.Name, err)
	}
	if exceed(c.codes, c.found.n) {
		return c.damaged("a code is not in its dictionary of %d values", c.found.n)
	}
	return nil
}

// exceed says whether one of the codes, which are not negative, is n or more.
func exceed(codes []int32, n int) bool {
	last := int32(min(n-1, math.MaxInt32))
	var a, b, c, d int32 // negative when a code is greater
	for ; len(codes) >= 4; codes = codes[4:] {
		a |= last - codes[0]
		b |= last - codes[1]
		c |= last - codes[2]
		d |= last - codes[3]
	}
	for _, v := range codes {
		a |= last - v
	}
	return a|b|c|d < 0
}

package parquetio

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"mss/internal/schema"
)

// PageRows is the number of rows of a data page.
const PageRows = 16384

// Null is the code of a null.
const Null = ^uint32(0)

// CodeRun is a stretch of equal codes.
type CodeRun struct {
	Code uint32 // or Null
	N    int
}

// Group is a row group being encoded. Its columns can be written in any order, but a dictionary before the pages
// that use it. It keeps its memory from one Reset to the next.
type Group struct {
	table schema.Table
	rows  int
	cols  []chunk
	space scratch // of all columns, but when they are encoded at the same time
}

// scratch is the memory that one column needs while it is being encoded.
type scratch struct {
	body  []byte // an uncompressed page
	snap  []byte // a compressed one
	dense []uint32
	proto thrift.CompactProtocol
}

// chunk is a column chunk being encoded. Offsets count from the chunk's first byte.
type chunk struct {
	*scratch
	rows      int // of the row group
	buf       []byte
	raw       int64 // size of the pages uncompressed, headers included
	dict, ext *Dict
	coded     bool
	width     int
	dictSize  int // bytes of the dictionary page
	values    int64
	nulls     int64
	pages     []page
}

type page struct {
	offset, size int
	row          int64 // the first one's number in the row group
	rows, nulls  int64
	min, max     []byte // PLAIN; nil when all are null or the kind has none
}

// NewGroup makes a Group for a table.
func NewGroup(table schema.Table) *Group {
	g := &Group{table: table, cols: make([]chunk, len(table.Columns))}
	for i := range g.cols {
		g.cols[i].scratch = &g.space
	}
	return g
}

// Like reserves as much memory for each column as another row group needed.
func (g *Group) Like(sizes []int) {
	for i, n := range sizes {
		g.cols[i].buf = slices.Grow(g.cols[i].buf[:0], n+n/16)
	}
}

// Sizes tells how many bytes each column has.
func (g *Group) Sizes() (sizes []int) {
	for i := range g.cols {
		sizes = append(sizes, len(g.cols[i].buf))
	}
	return sizes
}

// Concurrent lets columns be encoded at the same time, each by one goroutine, at the price of more memory.
func (g *Group) Concurrent() {
	for i := range g.cols {
		g.cols[i].scratch = &scratch{}
	}
}

// Reset begins a row group of rows rows.
func (g *Group) Reset(rows int) {
	g.rows = rows
	for i := range g.cols {
		c := &g.cols[i]
		*c = chunk{scratch: c.scratch, rows: rows, buf: c.buf[:0], pages: c.pages[:0]}
	}
}

// Rows is the number of rows.
func (g *Group) Rows() int { return g.rows }

// Dictionary writes the dictionary page of a column: the values of dict, and behind them those of ext, which may be nil.
// Both must stay as they are until the last page of the column is written. A dictionary that was
// compressed before is not compressed again.
func (g *Group) Dictionary(col int, dict, ext *Dict) {
	c := &g.cols[col]
	c.dict, c.ext, c.coded = dict, ext, true
	n, size := dict.n, len(dict.plain)
	stretches := []packed{dict.pack(&c.snap)}
	if ext != nil && ext.n > 0 {
		more := ext.pack(&ext.scratch)
		if stretches[0].literal {
			more = packed{ext.plain, true} // in one with it
		}
		stretches = append(stretches, more)
		n += ext.n
		size += len(ext.plain)
	}
	c.width = codeWidth(n)
	parts := append([][]byte{binary.AppendUvarint(nil, uint64(size))}, snappyParts(stretches...)...)
	h := format.PageHeader{Type: format.DictionaryPage, UncompressedPageSize: int32(size),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain,
			IsSorted: ext == nil || ext.n == 0})}
	crc := uint32(0)
	for _, part := range parts {
		h.CompressedPageSize += int32(len(part))
		crc = crc32.Update(crc, crc32.IEEETable, part)
	}
	h.CRC = int32(crc)
	c.header(&h)
	c.buf = slices.Grow(c.buf, int(h.CompressedPageSize))
	for _, part := range parts {
		c.buf = append(c.buf, part...)
	}
	c.dictSize = len(c.buf)
}

// header appends a page header.
func (c *chunk) header(h *format.PageHeader) {
	b, err := thrift.Marshal(&c.proto, h)
	if err != nil {
		panic(err) // a struct of ints cannot fail to encode
	}
	c.buf = append(c.buf, b...)
	c.raw += int64(len(b)) + int64(h.UncompressedPageSize)
}

// RunPage writes a page of codes that come in runs; neighbours are best not equal.
func (g *Group) RunPage(col int, runs []CodeRun) {
	c := &g.cols[col]
	rows, nulls := 0, 0
	for _, r := range runs {
		rows += r.N
		if r.Code == Null {
			nulls += r.N
		}
	}
	body := c.body[:0]
	var h hybrid
	if g.table.Columns[col].Nullable {
		h.reset(append(body, 0, 0, 0, 0), 1, rows)
		if nulls == 0 {
			h.run(1, rows)
		} else {
			for _, r := range runs {
				h.run(level(r.Code), r.N)
			}
		}
		body = h.finish()
		binary.LittleEndian.PutUint32(body, uint32(len(body)-4))
	}
	body = append(body, byte(c.width))
	h.reset(body, c.width, rows-nulls)
	b := bounds{c: c}
	for _, r := range runs {
		if r.Code != Null {
			b.add(r.Code)
			h.run(r.Code, r.N)
		}
	}
	c.body = h.finish()
	c.finishPage(rows, nulls, b.page())
}

func level(code uint32) uint32 {
	if code == Null {
		return 0
	}
	return 1
}

// CodePage writes a page of codes in no order; nulls counts those that are Null.
func (g *Group) CodePage(col int, codes []uint32, nulls int) {
	c := &g.cols[col]
	rows := len(codes)
	body := c.body[:0]
	if g.table.Columns[col].Nullable {
		var h hybrid
		h.reset(append(body, 0, 0, 0, 0), 1, rows)
		if nulls == 0 {
			h.run(1, rows)
		} else {
			c.dense = c.dense[:0]
			for i := 0; i < rows; {
				from := i
				null := codes[i] == Null
				for i < rows && (codes[i] == Null) == null {
					i++
				}
				h.run(level(codes[from]), i-from)
				if !null {
					c.dense = append(c.dense, codes[from:i]...)
				}
			}
			codes = c.dense
		}
		body = h.finish()
		binary.LittleEndian.PutUint32(body, uint32(len(body)-4))
	}
	b := bounds{c: c}
	b.addAll(codes)
	body = append(body, byte(c.width))
	if b.any && b.lo == b.hi && !b.anyExt { // one value all over
		var h hybrid
		h.reset(body, c.width, len(codes))
		h.run(b.lo, len(codes))
		body = h.finish()
	} else {
		body = packRun(body, codes, c.width)
	}
	c.body = body
	c.finishPage(rows, nulls, b.page())
}

// IntPage writes a page of int64 values in PLAIN encoding, none of them null.
func (g *Group) IntPage(col int, values []int64) {
	c := &g.cols[col]
	lo, hi := values[0], values[0]
	body := grow(c.body[:0], 8*len(values))
	for i, v := range values {
		lo, hi = min(lo, v), max(hi, v)
		binary.LittleEndian.PutUint64(body[8*i:], uint64(v))
	}
	c.body = body
	c.finishPage(len(values), 0, page{
		min: binary.LittleEndian.AppendUint64(nil, uint64(lo)), max: binary.LittleEndian.AppendUint64(nil, uint64(hi))})
}

// BoolPage writes a page of bools that come in runs of code 0 and 1, none of them null.
func (g *Group) BoolPage(col int, runs []CodeRun) {
	c := &g.cols[col]
	rows, lo, hi := 0, byte(1), byte(0)
	for _, r := range runs {
		rows += r.N
		lo, hi = min(lo, byte(r.Code)), max(hi, byte(r.Code))
	}
	body := grow(c.body[:0], (rows+7)/8)
	clear(body)
	at := 0
	for _, r := range runs {
		if r.Code == 1 {
			setBits(body, at, r.N)
		}
		at += r.N
	}
	c.body = body
	c.finishPage(rows, 0, page{min: []byte{lo}, max: []byte{hi}})
}

// setBits sets n bits from bit at on.
func setBits(b []byte, at, n int) {
	for ; n > 0 && at&7 != 0; n, at = n-1, at+1 {
		b[at>>3] |= 1 << (at & 7)
	}
	for ; n >= 8; n, at = n-8, at+8 {
		b[at>>3] = 0xFF
	}
	for ; n > 0; n, at = n-1, at+1 {
		b[at>>3] |= 1 << (at & 7)
	}
}

// reserve makes room for a page of size bytes and rows rows and, where there is none, for as many more like it as the row group has
// rows left: growing step by step would leave several times as much for the garbage collector.
func (c *chunk) reserve(size, rows int) {
	if rows == 0 || cap(c.buf)-len(c.buf) >= size {
		return
	}
	left := max(c.rows-int(c.values), rows)
	pages := (left + rows - 1) / rows
	const most = 8 << 20 // a page of long texts says little of the others
	c.buf = slices.Grow(c.buf, max(size, len(c.buf)/4, min(pages*(size+size/16), most)))
}

// finishPage compresses c.body and appends it as a data page.
func (c *chunk) finishPage(rows, nulls int, p page) {
	if need := s2.MaxEncodedLen(len(c.body)); cap(c.snap) < need {
		c.snap = make([]byte, need+need/4)
	}
	c.snap = s2.EncodeSnappy(c.snap[:cap(c.snap)], c.body)
	enc := format.Plain
	if c.coded {
		enc = format.RLEDictionary
	}
	p.offset, p.row, p.rows, p.nulls = len(c.buf), c.values, int64(rows), int64(nulls)
	h := format.PageHeader{Type: format.DataPage, UncompressedPageSize: int32(len(c.body)), CompressedPageSize: int32(len(c.snap)),
		DataPageHeader: thrift.New(format.DataPageHeader{NumValues: int32(rows), Encoding: enc,
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE})}
	h.CRC = int32(crc32.ChecksumIEEE(c.snap))
	c.header(&h)
	c.reserve(len(c.snap), rows)
	c.buf = append(c.buf, c.snap...)
	p.size = len(c.buf) - p.offset
	c.pages = append(c.pages, p)
	c.values += int64(rows)
	c.nulls += int64(nulls)
}

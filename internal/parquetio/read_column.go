package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"

	"mss/internal/schema"
)

// columnReader decodes one column chunk, page by page. It keeps its memory from one chunk to the next.
type columnReader struct {
	col  schema.Column
	st   storage
	meta *format.ColumnMetaData
	data []byte // the chunk, as it is stored
	at   int
	left int64 // rows that are not decoded yet
	body []byte
	lev  []int32

	dictPage []byte // the last dictionary page, compressed; equal bytes need no second decoding
	dict     values // its values
	dictID   int    // grows with every new dictionary

	page dataPage
}

// dataPage is a decoded data page: codes of the dictionary, or values.
type dataPage struct {
	rows  int
	pos   int     // rows that were handed out
	codes []int32 // one for each row; 0 where null
	coded bool
	null  []bool // nil when no row is null
	nulls int
	values
}

// values are plain values of a kind, one for each row (a null's is zero), or for each code.
type values struct {
	n      int
	ints   []int64 // Int64, Timestamp in microseconds
	floats []float64
	bits   []byte // Bool, from the low bit on
	text   []byte
	offs   []int32 // of the texts: n+1 positions in text
}

func (v *values) reset() {
	v.n, v.ints, v.floats, v.bits, v.text, v.offs = 0, v.ints[:0], v.floats[:0], v.bits[:0], v.text[:0], append(v.offs[:0], 0)
}

// open reads the chunk of a row group.
func (c *columnReader) open(f *File, rowGroup int, col schema.Column) error {
	off, size, err := c.begin(f, rowGroup, col)
	if err == nil {
		err = f.read(&c.data, off, size, col.Name)
	}
	return err
}

// begin turns to the chunk of a row group, and tells where it is.
func (c *columnReader) begin(f *File, rowGroup int, col schema.Column) (off int64, size int, err error) {
	l, st, err := f.column(col)
	if err != nil {
		return 0, 0, err
	}
	rg := &f.meta.RowGroups[rowGroup]
	m := &rg.Columns[l.chunk].MetaData
	c.col, c.st, c.meta, c.at, c.left = col, st, m, 0, m.NumValues
	if m.NumValues != rg.NumRows {
		return 0, 0, c.damaged("it has %d values in a row group of %d rows", m.NumValues, rg.NumRows)
	}
	off = m.DataPageOffset
	if m.DictionaryPageOffset > 0 && m.DictionaryPageOffset < off {
		off = m.DictionaryPageOffset
	}
	if off < 0 || m.TotalCompressedSize < 0 || m.TotalCompressedSize > math.MaxInt32 {
		return 0, 0, c.damaged("its chunk would have %d bytes at %d", m.TotalCompressedSize, off)
	}
	c.page.rows, c.page.pos = 0, 0
	c.dict.n = -1
	return off, int(m.TotalCompressedSize), nil
}

// read reads size bytes of a column at off into a buffer.
func (f *File) read(buf *[]byte, off int64, size int, column string) error {
	if size+padding > cap(*buf) {
		*buf = make([]byte, size, size+size/16+padding) // the next one is mostly as long
	}
	*buf = (*buf)[:size]
	if err := readFull(f.r, *buf, off); err != nil {
		return fmt.Errorf("read column %s: %w", column, err)
	}
	return nil
}

func (c *columnReader) damaged(format string, args ...any) error {
	return fmt.Errorf("%w: column %s: %s", ErrFormat, c.col.Name, fmt.Sprintf(format, args...))
}

// next makes sure that rows of the current page are left to hand out, decoding the next page where not. It is false at the end.
func (c *columnReader) next() (bool, error) {
	for c.page.pos == c.page.rows {
		if c.left <= 0 {
			return false, nil
		}
		if err := c.decodePage(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// decodePage decodes the next page; a dictionary page yields no rows.
func (c *columnReader) decodePage() (err error) {
	// The decoders of thrift, of codecs and of encodings that are not ours trust their input, and panic on damaged bytes.
	defer func() {
		if p := recover(); p != nil {
			err = c.damaged("a page cannot be decoded: %v", p)
		}
	}()
	h, n, err := c.header()
	if err != nil {
		return err
	}
	c.at += n
	size := int(h.CompressedPageSize)
	if size < 0 || size > len(c.data)-c.at || h.UncompressedPageSize < 0 {
		return c.damaged("a page is cut off")
	}
	raw := c.data[c.at : c.at+size]
	c.at += size
	// Zero is "none": the checksum is optional, and thrift leaves a zero out.
	if h.CRC != 0 && uint32(h.CRC) != crc32.ChecksumIEEE(raw) {
		return c.damaged("a page does not have the checksum that its header tells")
	}
	c.page.rows, c.page.pos = 0, 0
	switch h.Type {
	case format.DictionaryPage:
		return c.decodeDict(h, raw)
	case format.DataPage:
		d := &h.DataPageHeader.V
		body, err := c.decompress(raw, int(h.UncompressedPageSize))
		if err != nil {
			return err
		}
		var levels []byte
		if c.st.optional {
			if len(body) < 4 || int64(binary.LittleEndian.Uint32(body)) > int64(len(body)-4) {
				return c.damaged("the levels of a page are cut off")
			}
			k := 4 + int(binary.LittleEndian.Uint32(body))
			levels, body = body[4:k], body[k:]
		}
		return c.decodeData(int(d.NumValues), d.Encoding, levels, body)
	case format.DataPageV2:
		d := &h.DataPageHeaderV2.V
		rep, def := int(d.RepetitionLevelsByteLength), int(d.DefinitionLevelsByteLength)
		if rep < 0 || def < 0 || rep+def > len(raw) {
			return c.damaged("the levels of a page are cut off")
		}
		levels, body := padded(raw[rep:rep+def]), raw[rep+def:]
		if !d.IsCompressed.Valid || d.IsCompressed.V {
			if body, err = c.decompress(body, int(h.UncompressedPageSize)-rep-def); err != nil {
				return err
			}
		} else {
			body = padded(body)
		}
		if !c.st.optional {
			levels = nil
		}
		return c.decodeData(int(d.NumValues), d.Encoding, levels, body)
	}
	return nil // an index page: nothing for us
}

// padded copies b, so that eight bytes behind it can be loaded.
func padded(b []byte) []byte {
	return append(make([]byte, 0, len(b)+8), b...)
}

func (c *columnReader) header() (h format.PageHeader, n int, err error) {
	var proto thrift.CompactProtocol
	r := proto.NewReaderFromBytes(c.data[c.at:])
	if err := thrift.NewDecoder(r).Decode(&h); err != nil {
		return h, 0, c.damaged("a page header is damaged: %v", err)
	}
	return h, r.BytesRead(), nil
}

// decompress gives the uncompressed bytes of a page, with room for padding behind them; valid until the next call.
func (c *columnReader) decompress(raw []byte, size int) ([]byte, error) {
	// Snappy cannot shrink by more than 1:21 or so, gzip by 1:1032; a header that claims more is damaged, not a reason to allocate.
	if size < 0 || size > 1<<16+2048*len(raw) {
		return nil, c.damaged("a page of %d bytes would have %d uncompressed", len(raw), size)
	}
	if c.meta.Codec == format.Snappy {
		if body := literal(raw, size); body != nil {
			return body, nil
		}
	}
	if cap(c.body) < size+padding {
		c.body = make([]byte, 0, size+size/16+padding) // the next one is mostly as long
	}
	c.body = c.body[:0]
	var out []byte
	var err error
	switch c.meta.Codec {
	case format.Uncompressed:
		out = append(c.body, raw...)
	case format.Snappy:
		if n, nerr := s2.DecodedLen(raw); nerr != nil || n != size {
			return nil, c.damaged("a page does not have the size that its header tells")
		}
		out, err = s2.Decode(c.body[:size], raw)
	case format.Lz4Raw:
		// Not by parquet-go: on damaged bytes it allocates without end.
		var n int
		n, err = lz4.UncompressBlock(raw, c.body[:size])
		out = c.body[:max(n, 0)]
	default:
		out, err = parquet.LookupCompressionCodec(c.meta.Codec).Decode(c.body[:0], raw)
		out = slices.Grow(out, padding)
	}
	if err != nil || len(out) != size {
		return nil, c.damaged("a page cannot be decompressed (%v): %v", c.meta.Codec, err)
	}
	c.body = out
	return out, nil
}

// literal gives the bytes of a Snappy page that is but one literal of the right size, and has padding behind it: bit-packed codes seldom
// can be compressed. Of others it gives nil.
func literal(raw []byte, size int) []byte {
	n, k := binary.Uvarint(raw)
	if k <= 0 || n != uint64(size) || k == len(raw) || raw[k]&3 != 0 {
		return nil
	}
	length, more := int(raw[k]>>2)+1, 0
	if length > 60 { // it stands in one to four bytes behind
		more = length - 60
		if length = 1; len(raw)-k-1 < more {
			return nil
		}
		for i := range more {
			length += int(raw[k+1+i]) << (8 * i)
		}
	}
	at := k + 1 + more
	if length != size || len(raw)-at != size || cap(raw)-len(raw) < padding {
		return nil
	}
	return raw[at:]
}

func (c *columnReader) decodeDict(h format.PageHeader, raw []byte) error {
	n := int(h.DictionaryPageHeader.V.NumValues)
	if c.dictPage != nil && c.dict.n < 0 && bytes.Equal(raw, c.dictPage) {
		c.dict.n = n // the same as in the row group before
		return nil
	}
	c.dictPage = append(c.dictPage[:0], raw...)
	body, err := c.decompress(raw, int(h.UncompressedPageSize))
	if err != nil {
		return err
	}
	c.dictID++
	// New memory: what was handed out before may still refer to the old.
	c.dict = values{}
	if c.st.kind == schema.String {
		c.dict.text, c.dict.offs = make([]byte, 0, len(body)), make([]int32, 0, min(n, len(body))+1)
	} else {
		c.dict.ints = make([]int64, 0, min(n, len(body)))
	}
	c.dict.reset()
	if err := c.appendPlain(&c.dict, body, n); err != nil {
		c.dictPage = nil
		return err
	}
	return nil
}

// decodeData decodes a data page of rows rows.
func (c *columnReader) decodeData(rows int, enc format.Encoding, levels, body []byte) error {
	if rows < 0 || int64(rows) > c.left {
		return c.damaged("its pages have more rows than its chunk")
	}
	p := &c.page
	p.rows, p.nulls, p.null, p.coded = rows, 0, p.null[:0], false
	if levels != nil {
		if err := c.decodeLevels(rows, levels); err != nil {
			return err
		}
	}
	if p.nulls > 0 && !c.col.Nullable {
		return fmt.Errorf("column %s: it holds a null, but every row must have a value", c.col.Name)
	}
	c.left -= int64(rows)
	n := rows - p.nulls
	//lint:ignore SA1019 older writers still use the deprecated name of the same encoding
	if enc == format.RLEDictionary || enc == format.PlainDictionary {
		p.coded = true
		p.codes = slices.Grow(p.codes[:0], rows+8)[:rows] // the decoder fills up its last group
		return c.decodeCodes(n, body)
	}
	p.values.reset()
	if err := c.appendEncoded(&p.values, enc, body, n); err != nil {
		return err
	}
	if p.nulls > 0 {
		p.values.spread(c.st.kind, p.null)
	}
	return nil
}

// decodeLevels finds the nulls of a page.
func (c *columnReader) decodeLevels(rows int, levels []byte) error {
	p := &c.page
	// Mostly one run says that there is no null.
	if u, k := binary.Uvarint(levels); k > 0 && u&1 == 0 && u>>1 >= uint64(rows) && k < len(levels) && levels[k] == 1 {
		return nil
	}
	c.lev = slices.Grow(c.lev[:0], rows)[:rows]
	if _, err := decodeHybrid(c.lev, levels, 1); err != nil {
		return fmt.Errorf("column %s: %w", c.col.Name, err)
	}
	p.null = slices.Grow(p.null[:0], rows)[:rows]
	for i, l := range c.lev {
		p.null[i] = l == 0
		if l == 0 {
			p.nulls++
		}
	}
	return nil
}

func (c *columnReader) decodeCodes(n int, body []byte) error {
	p := &c.page
	if c.dict.n < 0 {
		return c.damaged("a page refers to a dictionary, but there is none")
	}
	if n == 0 {
		clear(p.codes)
		return nil
	}
	if len(body) == 0 {
		return c.damaged("a page is empty")
	}
	greatest, err := decodeHybrid(p.codes[:n], body[1:], int(body[0]))
	if err != nil {
		return fmt.Errorf("column %s: %w", c.col.Name, err)
	}
	if int(greatest) >= c.dict.n {
		return c.damaged("a code %d in a dictionary of %d values", greatest, c.dict.n)
	}
	if p.nulls > 0 {
		// From the end on, so that no code is overwritten before it moves.
		for i, k := p.rows-1, n-1; i >= 0; i-- {
			if p.null[i] {
				p.codes[i] = 0
			} else {
				p.codes[i] = p.codes[k]
				k--
			}
		}
	}
	return nil
}

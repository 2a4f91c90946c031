package parquetio

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"mss/internal/schema"
)

const (
	magic     = "PAR1"
	createdBy = "mss" // no version: the same input gives the same bytes, release after release, unless the format changes
)

// Writer puts row groups together to a Parquet file. What it writes depends on the table and the row groups alone.
type Writer struct {
	w      io.Writer
	table  schema.Table
	off    int64
	rows   int64
	meta   format.FileMetaData
	colIdx [][]*format.ColumnIndex // by row group and column; nil where a bound is missing
	offIdx [][]*format.OffsetIndex
}

// NewWriter begins a file. Nothing is written before the first Append or Close.
func NewWriter(w io.Writer, table schema.Table) *Writer {
	f := &Writer{w: w, table: table}
	f.meta.Version = 1
	f.meta.CreatedBy = createdBy
	f.meta.Schema = append(f.meta.Schema, format.SchemaElement{Name: "schema",
		NumChildren: thrift.New(int32(len(table.Columns)))})
	for _, c := range table.Columns {
		f.meta.Schema = append(f.meta.Schema, element(c))
		f.meta.ColumnOrders = append(f.meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	return f
}

func physical(k schema.Kind) format.Type {
	return [...]format.Type{schema.Int64: format.Int64, schema.Double: format.Double, schema.String: format.ByteArray,
		schema.Timestamp: format.Int64, schema.Bool: format.Boolean}[k]
}

func element(c schema.Column) format.SchemaElement {
	e := format.SchemaElement{Name: c.Name, Type: thrift.New(physical(c.Kind))}
	e.RepetitionType = thrift.New(format.Required)
	if c.Nullable {
		e.RepetitionType = thrift.New(format.Optional)
	}
	switch c.Kind {
	case schema.String:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = &format.StringType{}
	case schema.Timestamp:
		// No converted type: that could only say "adjusted to UTC".
		e.LogicalType.Value = &format.TimestampType{Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	}
	return e
}

func (f *Writer) write(b []byte) error {
	n, err := f.w.Write(b)
	f.off += int64(n)
	return err
}

func (f *Writer) begin() error {
	if f.off > 0 {
		return nil
	}
	return f.write([]byte(magic))
}

// Append writes a row group behind those before.
func (f *Writer) Append(g *Group) error {
	if err := f.begin(); err != nil {
		return err
	}
	rg := format.RowGroup{NumRows: int64(g.rows), FileOffset: f.off, Ordinal: int16(min(len(f.meta.RowGroups), math.MaxInt16))}
	colIdx, offIdx := make([]*format.ColumnIndex, len(g.cols)), make([]*format.OffsetIndex, len(g.cols))
	for i := range g.cols {
		c := &g.cols[i]
		if c.values != int64(g.rows) {
			return fmt.Errorf("encode column %s: %d values in a row group of %d rows", g.table.Columns[i].Name, c.values, g.rows)
		}
		base := f.off
		if err := f.write(c.buf); err != nil {
			return err
		}
		rg.Columns = append(rg.Columns, c.meta(g.table.Columns[i], base))
		rg.TotalByteSize += c.raw
		rg.TotalCompressedSize += int64(len(c.buf))
		colIdx[i], offIdx[i] = c.indexes(g.table.Columns[i].Kind, base)
	}
	f.rows += int64(g.rows)
	f.meta.RowGroups = append(f.meta.RowGroups, rg)
	f.colIdx, f.offIdx = append(f.colIdx, colIdx), append(f.offIdx, offIdx)
	return nil
}

// meta describes a column chunk that begins at base.
func (c *chunk) meta(col schema.Column, base int64) format.ColumnChunk {
	m := format.ColumnMetaData{Type: physical(col.Kind), PathInSchema: thrift.Slice[string]{col.Name}, Codec: format.Snappy,
		NumValues: c.values, TotalUncompressedSize: c.raw, TotalCompressedSize: int64(len(c.buf)),
		DataPageOffset: base + int64(c.dictSize)}
	stat := func(t format.PageType, e format.Encoding, n int) {
		m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: t, Encoding: e, Count: int32(n)})
	}
	if c.coded {
		m.DictionaryPageOffset = base
		m.Encoding = thrift.Slice[format.Encoding]{format.Plain, format.RLE, format.RLEDictionary}
		stat(format.DictionaryPage, format.Plain, 1)
		stat(format.DataPage, format.RLEDictionary, len(c.pages))
	} else {
		m.Encoding = thrift.Slice[format.Encoding]{format.Plain, format.RLE}
		stat(format.DataPage, format.Plain, len(c.pages))
	}
	m.Statistics.NullCount = c.nulls
	for _, p := range c.pages {
		if p.nulls == p.rows {
			continue
		}
		if p.min == nil {
			m.Statistics.MinValue, m.Statistics.MaxValue = nil, nil
			break
		}
		if m.Statistics.MinValue == nil || compareBound(col.Kind, p.min, m.Statistics.MinValue) < 0 {
			m.Statistics.MinValue = p.min
		}
		if m.Statistics.MaxValue == nil || compareBound(col.Kind, p.max, m.Statistics.MaxValue) > 0 {
			m.Statistics.MaxValue = p.max
		}
	}
	return format.ColumnChunk{MetaData: m, FileOffset: base}
}

// compareBound orders two bounds of a column.
func compareBound(k schema.Kind, a, b []byte) int {
	if k == schema.Bool {
		return int(a[0]) - int(b[0])
	}
	return compare(k, a, b)
}

// indexes are the column index, nil where a page has no bounds though it has values, and the offset index.
func (c *chunk) indexes(kind schema.Kind, base int64) (*format.ColumnIndex, *format.OffsetIndex) {
	ci, oi := &format.ColumnIndex{}, &format.OffsetIndex{}
	for i := range c.pages {
		p := &c.pages[i]
		oi.PageLocations = append(oi.PageLocations, format.PageLocation{Offset: base + int64(p.offset),
			CompressedPageSize: int32(p.size), FirstRowIndex: p.row})
		if ci == nil {
			continue
		}
		null := p.nulls == p.rows
		if !null && p.min == nil {
			ci = nil
			continue
		}
		ci.NullPages = append(ci.NullPages, null)
		ci.NullCounts = append(ci.NullCounts, p.nulls)
		ci.MinValues = append(ci.MinValues, append([]byte{}, p.min...))
		ci.MaxValues = append(ci.MaxValues, append([]byte{}, p.max...))
	}
	if ci != nil {
		ci.BoundaryOrder = boundaryOrder(kind, ci)
	}
	return ci, oi
}

// boundaryOrder says whether the bounds of the pages ascend, so that a reader may search by halving.
func boundaryOrder(kind schema.Kind, ci *format.ColumnIndex) format.BoundaryOrder {
	last := -1
	for i, null := range ci.NullPages {
		if null {
			continue
		}
		if last >= 0 && (compareBound(kind, ci.MinValues[last], ci.MinValues[i]) > 0 ||
			compareBound(kind, ci.MaxValues[last], ci.MaxValues[i]) > 0) {
			return format.Unordered
		}
		last = i
	}
	return format.Ascending
}

// Close writes the indexes and the footer. It does not close the underlying writer.
func (f *Writer) Close() error {
	if err := f.begin(); err != nil {
		return err
	}
	var proto thrift.CompactProtocol
	for g := range f.colIdx {
		for i, ci := range f.colIdx[g] {
			if ci == nil {
				continue
			}
			b, err := thrift.Marshal(&proto, ci)
			if err != nil {
				return err
			}
			cc := &f.meta.RowGroups[g].Columns[i]
			cc.ColumnIndexOffset, cc.ColumnIndexLength = f.off, int32(len(b))
			if err := f.write(b); err != nil {
				return err
			}
		}
	}
	for g := range f.offIdx {
		for i, oi := range f.offIdx[g] {
			b, err := thrift.Marshal(&proto, oi)
			if err != nil {
				return err
			}
			cc := &f.meta.RowGroups[g].Columns[i]
			cc.OffsetIndexOffset, cc.OffsetIndexLength = f.off, int32(len(b))
			if err := f.write(b); err != nil {
				return err
			}
		}
	}
	f.meta.NumRows = f.rows
	b, err := thrift.Marshal(&proto, &f.meta)
	if err != nil {
		return err
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return f.write(append(b, magic...))
}

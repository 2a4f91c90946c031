package parquetio

import (
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/sync/errgroup"

	"mss/internal/schema"
)

// BatchReader reads the columns of a row group as Arrow record batches. A text, an integer or a timestamp comes as a dictionary
// array (int32 indices) where its page is coded, and as a plain array otherwise. The dictionary array is made once
// for all batches that share it, so that whoever reads can tell by its identity that it is the same.
//
// The zero value is ready for Reset. Memory is kept from one row group to the next: reuse a BatchReader.
type BatchReader struct {
	cols  []columnReader
	dicts []cachedDict
	last  arrow.Record
}

// cachedDict is the Arrow form of a column's dictionary.
type cachedDict struct {
	id  int
	arr arrow.Array
}

// Reset begins a row group: the given columns, which must be there and of the given kind. A column that is not Nullable must hold no null.
func (b *BatchReader) Reset(f *File, rowGroup int, columns []schema.Column) error {
	b.release()
	if len(b.cols) != len(columns) {
		b.cols, b.dicts = make([]columnReader, len(columns)), make([]cachedDict, len(columns))
	}
	// All at once: on S3 each is a round trip.
	var group errgroup.Group
	for i := range b.cols {
		group.Go(func() error { return b.cols[i].open(f, rowGroup, columns[i]) })
	}
	return group.Wait()
}

// Next returns the next batch, or io.EOF. The batch is valid until the next call of Next or Reset; its dictionaries
// stay valid for whoever retains them.
func (b *BatchReader) Next() (arrow.Record, error) {
	b.release()
	n := -1
	for i := range b.cols {
		c := &b.cols[i]
		ok, err := c.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			if i > 0 && n > 0 {
				return nil, c.damaged("it has fewer rows than column %s", b.cols[0].col.Name)
			}
			return nil, io.EOF
		}
		if rest := c.page.rows - c.page.pos; n < 0 || rest < n {
			n = rest
		}
	}
	fields, arrays := make([]arrow.Field, len(b.cols)), make([]arrow.Array, len(b.cols))
	for i := range b.cols {
		c := &b.cols[i]
		arrays[i] = b.array(i, n)
		fields[i] = arrow.Field{Name: c.col.Name, Type: arrays[i].DataType(), Nullable: c.col.Nullable}
		c.page.pos += n
	}
	b.last = array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(n))
	for _, a := range arrays {
		a.Release()
	}
	return b.last, nil
}

func (b *BatchReader) release() {
	if b.last != nil {
		b.last.Release()
		b.last = nil
	}
}

var timestampType = &arrow.TimestampType{Unit: arrow.Microsecond}

func arrowType(k schema.Kind) arrow.DataType {
	return [...]arrow.DataType{schema.Int64: arrow.PrimitiveTypes.Int64, schema.Double: arrow.PrimitiveTypes.Float64,
		schema.String: arrow.BinaryTypes.String, schema.Timestamp: timestampType, schema.Bool: arrow.FixedWidthTypes.Boolean}[k]
}

var dictTypes = func() (t [5]*arrow.DictionaryType) {
	for k := range t {
		t[k] = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrowType(schema.Kind(k))}
	}
	return t
}()

// array makes the Arrow array of the next n rows of column i. It wraps the decoded page, and copies only bits.
func (b *BatchReader) array(i, n int) arrow.Array {
	c := &b.cols[i]
	p := &c.page
	from, to := p.pos, p.pos+n
	var valid *memory.Buffer
	nulls := 0
	if p.nulls > 0 {
		bits := make([]byte, (n+7)/8)
		for k, null := range p.null[from:to] {
			if null {
				nulls++
			} else {
				bits[k>>3] |= 1 << (k & 7)
			}
		}
		valid = memory.NewBufferBytes(bits)
	}
	if p.coded {
		if d := &b.dicts[i]; d.arr == nil || d.id != c.dictID {
			if d.arr != nil {
				d.arr.Release()
			}
			d.id, d.arr = c.dictID, plainArray(c.st.kind, &c.dict, 0, c.dict.n, nil, 0)
		}
		codes := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(p.codes[from:to]))
		data := array.NewDataWithDictionary(dictTypes[c.st.kind], n, []*memory.Buffer{valid, codes}, nulls, 0, b.dicts[i].arr.Data().(*array.Data))
		defer data.Release()
		return array.NewDictionaryData(data)
	}
	return plainArray(c.st.kind, &p.values, from, to, valid, nulls)
}

// plainArray makes an array of the values from to to.
func plainArray(kind schema.Kind, v *values, from, to int, valid *memory.Buffer, nulls int) arrow.Array {
	n, offset := to-from, 0
	buffers := []*memory.Buffer{valid, nil}
	switch kind {
	case schema.Int64, schema.Timestamp:
		buffers[1] = memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(v.ints[from:to]))
	case schema.Double:
		buffers[1] = memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(v.floats[from:to]))
	case schema.String:
		buffers[1] = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(v.offs[from : to+1]))
		buffers = append(buffers, memory.NewBufferBytes(v.text))
	case schema.Bool:
		buffers[1] = memory.NewBufferBytes(v.bits[from>>3:])
		offset = from & 7
		if valid != nil && offset > 0 { // the offset is that of both bitmaps
			buffers[0] = shiftBits(valid.Bytes(), n, offset)
		}
	}
	data := array.NewData(arrowType(kind), n, buffers, nil, nulls, offset)
	defer data.Release()
	return array.MakeFromData(data)
}

// shiftBits moves n bits up by offset.
func shiftBits(bits []byte, n, offset int) *memory.Buffer {
	out := make([]byte, (n+offset+7)/8)
	for i := range n {
		out[(i+offset)>>3] |= bits[i>>3] >> (i & 7) & 1 << ((i + offset) & 7)
	}
	return memory.NewBufferBytes(out)
}

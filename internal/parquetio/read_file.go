package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"mss/internal/schema"
)

// ErrFormat is a file that is no Parquet, or a damaged one.
var ErrFormat = errors.New("not a valid Parquet file")

// File is a Parquet file that is read: one of ours, or of any writer, as long as its columns are flat.
type File struct {
	r      io.ReaderAt
	meta   format.FileMetaData
	leaves []leaf
}

// leaf is a column at the top of the schema.
type leaf struct {
	element *format.SchemaElement
	chunk   int // its position in each row group's list of columns; -1 for a nested column
}

// Open reads the footer of a file of size bytes.
func Open(r io.ReaderAt, size int64) (*File, error) {
	const tail = 8
	if size < int64(2*len(magic)+4) {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrFormat, size)
	}
	// One read fetches most footers whole.
	buf := make([]byte, min(size, 64<<10))
	if err := readFull(r, buf, size-int64(len(buf))); err != nil {
		return nil, err
	}
	end := buf[len(buf)-tail:]
	if string(end[4:]) != magic {
		return nil, fmt.Errorf("%w: it does not end with %s", ErrFormat, magic)
	}
	n := int64(binary.LittleEndian.Uint32(end))
	if n > size-tail-int64(len(magic)) {
		return nil, fmt.Errorf("%w: its footer would be longer than the file", ErrFormat)
	}
	if n > int64(len(buf)-tail) {
		buf = make([]byte, n+tail)
		if err := readFull(r, buf, size-int64(len(buf))); err != nil {
			return nil, err
		}
	}
	f := &File{r: r}
	if err := unmarshal(buf[int64(len(buf))-tail-n:len(buf)-tail], &f.meta); err != nil {
		return nil, fmt.Errorf("%w: read its footer: %v", ErrFormat, err)
	}
	return f, f.findLeaves()
}

// unmarshal decodes thrift, and turns a panic of the decoder on damaged bytes into an error.
func unmarshal(b []byte, v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("thrift: %v", p)
		}
	}()
	var proto thrift.CompactProtocol
	return thrift.Unmarshal(&proto, b, v)
}

func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// findLeaves walks the schema, which is a tree in depth-first order.
func (f *File) findLeaves() error {
	elements := f.meta.Schema
	if len(elements) == 0 {
		return fmt.Errorf("%w: it has no schema", ErrFormat)
	}
	chunk, i := 0, 1
	// skip passes an element and all below it.
	var skip func(depth int) bool
	skip = func(depth int) bool {
		if i >= len(elements) || depth > 64 {
			return false
		}
		e := &elements[i]
		i++
		if e.NumChildren.V == 0 {
			chunk++
			return true
		}
		for range e.NumChildren.V {
			if !skip(depth + 1) {
				return false
			}
		}
		return true
	}
	for range elements[0].NumChildren.V {
		if i >= len(elements) {
			return fmt.Errorf("%w: its schema is cut off", ErrFormat)
		}
		l := leaf{&elements[i], chunk}
		if l.element.NumChildren.V > 0 || l.element.RepetitionType.V == format.Repeated {
			l.chunk = -1
		}
		if !skip(0) {
			return fmt.Errorf("%w: its schema is cut off", ErrFormat)
		}
		f.leaves = append(f.leaves, l)
	}
	rows := int64(0)
	for i := range f.meta.RowGroups {
		n := f.meta.RowGroups[i].NumRows
		if n < 0 || n > math.MaxInt32 {
			return fmt.Errorf("%w: row group %d has %d rows", ErrFormat, i, n)
		}
		rows += n
		if len(f.meta.RowGroups[i].Columns) != chunk {
			return fmt.Errorf("%w: row group %d has %d columns, the schema %d", ErrFormat, i, len(f.meta.RowGroups[i].Columns), chunk)
		}
	}
	if rows != f.meta.NumRows {
		return fmt.Errorf("%w: it has %d rows, its row groups %d", ErrFormat, f.meta.NumRows, rows)
	}
	return nil
}

// NumRows is the number of rows.
func (f *File) NumRows() int64 { return f.meta.NumRows }

// NumRowGroups is the number of row groups.
func (f *File) NumRowGroups() int { return len(f.meta.RowGroups) }

// RowGroupRows is the number of rows of a row group.
func (f *File) RowGroupRows(i int) int64 { return f.meta.RowGroups[i].NumRows }

// column finds a column and how its values are stored.
func (f *File) column(c schema.Column) (leaf, storage, error) {
	var names []string
	for _, l := range f.leaves {
		names = append(names, l.element.Name)
		if l.element.Name != c.Name {
			continue
		}
		s, ok := storageOf(l.element, c.Kind)
		if l.chunk < 0 || !ok {
			return l, s, fmt.Errorf("column %s is stored as %v, which cannot be read as %v", c.Name, l.element.Type.V, c.Kind)
		}
		return l, s, nil
	}
	return leaf{}, storage{}, fmt.Errorf("column %s is missing; the columns found are %s", c.Name, strings.Join(names, ", "))
}

// storage tells how the values of a column are stored.
type storage struct {
	kind     schema.Kind
	physical format.Type
	optional bool
	perUnit  int64 // timestamps: microseconds of a unit, or negative: units of a microsecond
}

func storageOf(e *format.SchemaElement, kind schema.Kind) (storage, bool) {
	s := storage{kind: kind, physical: e.Type.V, optional: e.RepetitionType.V == format.Optional, perUnit: 1}
	switch kind {
	case schema.Int64:
		return s, s.physical == format.Int64 || s.physical == format.Int32
	case schema.Double:
		return s, s.physical == format.Double
	case schema.String:
		return s, s.physical == format.ByteArray
	case schema.Bool:
		return s, s.physical == format.Boolean
	}
	if s.physical == format.Int96 {
		return s, true
	}
	if t, ok := e.LogicalType.Value.(*format.TimestampType); ok {
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			s.perUnit = 1000
		case *format.NanoSeconds:
			s.perUnit = -1000
		}
	} else if e.ConvertedType.Valid && e.ConvertedType.V == deprecated.TimestampMillis {
		s.perUnit = 1000
	}
	return s, s.physical == format.Int64
}

// micros converts a stored timestamp.
func (s *storage) micros(v int64) int64 {
	switch {
	case s.perUnit == 1:
		return v
	case s.perUnit > 1:
		return v * s.perUnit
	}
	q := v / -s.perUnit
	if v%-s.perUnit < 0 {
		q-- // towards the past, as digits are cut
	}
	return q
}

// int96Micros converts Spark's old timestamps: nanoseconds of the day, and the Julian day.
func int96Micros(b []byte) int64 {
	const julianEpoch = 2440588 // 1970-01-01
	nanos := int64(binary.LittleEndian.Uint64(b))
	days := int64(int32(binary.LittleEndian.Uint32(b[8:])))
	return (days-julianEpoch)*86400e6 + nanos/1000
}

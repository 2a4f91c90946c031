package parquetio

import (
	"github.com/parquet-go/parquet-go/format"
	"golang.org/x/sync/errgroup"

	"mss/internal/schema"
)

// RunChunks are the columns of a row group as they are stored: what a RunReader decodes. They are read apart from that, so that the next
// row group can be on its way while one is decoded. The zero value is ready for Load; memory is kept from one row group to the next.
type RunChunks struct {
	cols []runChunk
}

// runChunk is a column of a row group.
type runChunk struct {
	RunColumn
	st   storage
	meta *format.ColumnMetaData
	rows int64
	dict []byte // the dictionary page with its header; apart, for it may be kept
	data []byte // the other pages
}

// Load reads a row group. False means that it is not one for a RunReader; nothing is read then.
func (k *RunChunks) Load(f *File, rowGroup int, columns []RunColumn) (ok bool, err error) {
	if len(k.cols) != len(columns) {
		k.cols = make([]runChunk, len(columns))
	}
	for _, c := range columns {
		if !suits(f, rowGroup, c) {
			return false, nil
		}
	}
	var group errgroup.Group // on S3 each read is a round trip
	for i := range k.cols {
		var c columnReader
		off, size, err := c.begin(f, rowGroup, columns[i].Column)
		if err != nil {
			_ = group.Wait() // the buffers are in use until then
			return false, err
		}
		p := &k.cols[i]
		p.RunColumn, p.st, p.meta, p.rows, p.dict = columns[i], c.st, c.meta, c.left, p.dict[:0]
		dict := min(int(p.meta.DataPageOffset-off), size)
		group.Go(func() error { return f.read(&p.data, off+int64(dict), size-dict, p.Name) })
		if dict > 0 {
			group.Go(func() error { return f.read(&p.dict, off, dict, p.Name) })
		}
	}
	return true, group.Wait()
}

// suits says whether the metadata of a column chunk are such as mss writes.
func suits(f *File, rowGroup int, c RunColumn) bool {
	l, st, err := f.column(c.Column)
	if err != nil || f.meta.CreatedBy != createdBy || st.perUnit != 1 || (c.ByRow || c.Kind == schema.Bool) && st.optional {
		return false
	}
	m := &f.meta.RowGroups[rowGroup].Columns[l.chunk].MetaData
	ints := c.Kind == schema.Int64 || c.Kind == schema.Timestamp
	return st.physical == physical(c.Kind) && (ints || !c.ByRow && c.Kind != schema.Double) && m.Codec == format.Snappy && m.NumValues <= 1<<31-1
}

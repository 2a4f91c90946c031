package parquetio

import (
	"io"
	"slices"

	"github.com/parquet-go/parquet-go/format"
	"golang.org/x/sync/errgroup"

	"mss/internal/schema"
)

// RunReader is the fast way to read row groups that mss wrote, or that look as if it had: pages V1 that begin at the same rows in all
// columns, and dictionaries. Columns whose values come in runs are handed out as such, others as a code for each row, page by page.
// All else is for BatchReader.
//
// The zero value is ready for Reset. Memory is kept from one row group to the next: reuse a RunReader.
type RunReader struct {
	cols  []runColumn
	page  int
	plain []byte // a dictionary, uncompressed
}

// RunColumn is a column to be read, and how.
type RunColumn struct {
	schema.Column
	ByRow bool // a code, or a plain integer, for each row; it holds no null
	// Own says that its dictionaries differ from row group to row group: they are not shared, and valid until the next Reset only. Only
	// one column can be so.
	Own bool
}

// Reset begins a row group. False means that it is not one for this way; nothing of it has been handed out then.
func (r *RunReader) Reset(f *File, rowGroup int, columns []RunColumn, cache *DictCache) (ok bool, err error) {
	if len(r.cols) != len(columns) {
		r.cols = make([]runColumn, len(columns))
	}
	for _, c := range columns {
		if !suits(f, rowGroup, c) {
			return false, nil
		}
	}
	var group errgroup.Group // on S3 each read is a round trip
	for i := range r.cols {
		c := &r.cols[i]
		c.RunColumn = columns[i]
		if err := c.load(f, rowGroup, &group); err != nil {
			_ = group.Wait() // the buffers are in use until then
			return false, err
		}
	}
	if err := group.Wait(); err != nil {
		return false, err
	}
	for i := range r.cols {
		if !r.cols[i].list() || !sameRows(r.cols[i].pages, r.cols[0].pages) {
			return false, nil
		}
	}
	for _, own := range []bool{false, true} { // the latter stay in r.plain
		for i := range r.cols {
			if c := &r.cols[i]; c.stored.raw != nil && c.Own == own {
				if err := c.readDict(cache, &r.plain); err != nil {
					return false, err
				}
			}
		}
	}
	r.page = -1
	return true, nil
}

// Next decodes the next page of each column, and returns its rows; io.EOF at the end. What was handed out is valid until then.
func (r *RunReader) Next() (rows int, err error) {
	if r.page++; r.page >= len(r.cols[0].pages) {
		return 0, io.EOF
	}
	for i := range r.cols {
		if err := r.cols[i].decode(&r.cols[i].pages[r.page]); err != nil {
			return 0, err
		}
	}
	return r.cols[0].pages[r.page].values, nil
}

// Dict is the dictionary of a column, nil where it has none. It is never changed; the same dictionary (==) may come again.
func (r *RunReader) Dict(col int) *Dictionary { return r.cols[col].found }

// Runs are those of a column that is not ByRow. A bool has the codes 0 and 1.
func (r *RunReader) Runs(col int) *Runs { return &r.cols[col].runs }

// Codes are those of a column that is ByRow; nil when its page is plain.
func (r *RunReader) Codes(col int) []int32 { return r.cols[col].codes }

// Ints are the values of a column that is ByRow, when its page is plain.
func (r *RunReader) Ints(col int) []int64 { return r.cols[col].ints }

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

// sameRows says whether pages begin at the same rows.
func sameRows(a, b []storedPage) bool {
	return slices.EqualFunc(a, b, func(a, b storedPage) bool { return a.values == b.values })
}

package parquetio

import (
	"io"
	"slices"

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

// Reset begins a row group that was loaded. False means that it is not one for this way; nothing of it has been handed out then. The
// chunks belong to the reader until the next Reset.
func (r *RunReader) Reset(chunks *RunChunks, cache *DictCache) (ok bool, err error) {
	if len(r.cols) != len(chunks.cols) {
		r.cols = make([]runColumn, len(chunks.cols))
	}
	for i := range r.cols {
		c := &r.cols[i]
		if c.take(&chunks.cols[i]); !c.list() || !sameRows(c.pages, r.cols[0].pages) {
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

// sameRows says whether pages begin at the same rows.
func sameRows(a, b []storedPage) bool {
	return slices.EqualFunc(a, b, func(a, b storedPage) bool { return a.values == b.values })
}

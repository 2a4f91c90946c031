package kpi

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mss/internal/schema"
)

// columns are those of mss-transformed that the KPIs need, in the order of a batch.
var columns = func() (cols []schema.Column) {
	for _, name := range []string{"user_id", "track_id", "listen_time", "artists", "track_name", "popularity", "duration_ms", "genre", "is_primary"} {
		cols = append(cols, schema.Transformed.Columns[schema.Transformed.Index(name)])
	}
	return cols
}()

const (
	colUser = iota
	colTrack
	colTime
	colArtists
	colName
	colPopularity
	colDuration
	colGenre
	colPrimary
)

// coded is a column of a batch as codes, whatever its arrays are: codes[i] is row i's place in the dictionary, or null.
// A plain array is its own dictionary.
type coded struct {
	codes []int32
	dict  arrow.Array
	space []int32
}

// null is the code of a null row.
const null = -1

func (c *coded) set(a arrow.Array) {
	n := a.Len()
	d, ok := a.(*array.Dictionary)
	if ok {
		c.dict = d.Dictionary()
		c.codes = d.Indices().(*array.Int32).Int32Values()
		if a.NullN() == 0 {
			return
		}
	} else {
		c.dict = a
	}
	if cap(c.space) < n {
		c.space = make([]int32, n)
	}
	c.space = c.space[:n]
	for i := range c.space {
		switch {
		case a.IsNull(i):
			c.space[i] = null
		case ok:
			c.space[i] = c.codes[i]
		default:
			c.space[i] = int32(i)
		}
	}
	c.codes = c.space
}

// runEnd is where the run of row i ends, at end at the latest.
func (c *coded) runEnd(i, end int) int {
	codes := c.codes[:end]
	v := codes[i]
	for i++; i < len(codes) && codes[i] == v; i++ {
	}
	return i
}

// batch is a record batch, made ready for folding. It keeps its memory.
type batch struct {
	cols    [colPrimary]coded
	primary *array.Boolean
	rows    int
}

func (b *batch) set(rec arrow.Record) error {
	if int(rec.NumCols()) != len(columns) {
		return fmt.Errorf("fold a batch of %d columns, want %d", rec.NumCols(), len(columns))
	}
	b.rows = int(rec.NumRows())
	for i := range b.cols {
		b.cols[i].set(rec.Column(i))
	}
	var ok bool
	if b.primary, ok = rec.Column(colPrimary).(*array.Boolean); !ok {
		return fmt.Errorf("fold a batch whose is_primary is %s", rec.Column(colPrimary).DataType())
	}
	return nil
}

// runEnd is where the stretch of rows of one song ends that begins at row i. Rows are clustered, so it is mostly long.
func (b *batch) runEnd(i int) int {
	end := b.rows
	for _, c := range [...]int{colTrack, colGenre, colPopularity, colDuration, colName, colArtists} {
		end = b.cols[c].runEnd(i, end)
	}
	p := b.primary.Value(i)
	for j := i + 1; j < end; j++ {
		if b.primary.Value(j) != p {
			return j
		}
	}
	return end
}

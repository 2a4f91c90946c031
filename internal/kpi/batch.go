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

// batch is a record batch, made ready for folding. It keeps its memory.
type batch struct {
	cols    [colPrimary]coded
	primary []int32 // 1 where is_primary
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
	primary, ok := rec.Column(colPrimary).(*array.Boolean)
	if !ok {
		return fmt.Errorf("fold a batch whose is_primary is %s", rec.Column(colPrimary).DataType())
	}
	b.primary = fit(b.primary[:0], b.rows)
	bits, offset := primary.Data().Buffers()[1].Bytes(), primary.Offset()
	for i := range b.primary {
		b.primary[i] = int32(bits[(i+offset)>>3] >> ((i + offset) & 7) & 1)
	}
	return nil
}

// runEnd is where the stretch of rows of one song ends that begins at row i. Rows are clustered, so it is mostly long.
func (b *batch) runEnd(i int) int {
	track := b.cols[colTrack].codes[:b.rows]
	end := i + 1
	for v := track[i]; end < len(track) && track[end] == v; end++ {
	}
	// The other columns are mostly equal as long as the track is: look at all of them at once, without a branch.
	genre, popularity, duration := b.cols[colGenre].codes[i:end], b.cols[colPopularity].codes[i:end], b.cols[colDuration].codes[i:end]
	name, artists, primary := b.cols[colName].codes[i:end], b.cols[colArtists].codes[i:end], b.primary[i:end]
	popularity, duration, name, artists, primary = popularity[:len(genre)], duration[:len(genre)], name[:len(genre)], artists[:len(genre)], primary[:len(genre)]
	g, p, d, n, a, q := genre[0], popularity[0], duration[0], name[0], artists[0], primary[0]
	differ := int32(0)
	for j := range genre {
		differ |= (genre[j] ^ g) | (popularity[j] ^ p) | (duration[j] ^ d) | (name[j] ^ n) | (artists[j] ^ a) | (primary[j] ^ q)
	}
	if differ == 0 {
		return end
	}
	j := 1
	for genre[j] == g && popularity[j] == p && duration[j] == d && name[j] == n && artists[j] == a && primary[j] == q {
		j++
	}
	return i + j
}

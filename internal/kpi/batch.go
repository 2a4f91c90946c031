package kpi

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mss/internal/kpi/state"
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

// texts and ints are dictionaries in Arrow's form.
type texts struct {
	offsets []int32
	bytes   []byte
}

func (d *texts) Len() int { return len(d.offsets) - 1 }

func (d *texts) Text(i uint32) []byte {
	first := d.offsets[0]
	return d.bytes[d.offsets[i]-first : d.offsets[i+1]-first]
}

func (d *texts) Common(state.Texts) int { return 0 } // it would have to be found out

type ints []int64

func (d *ints) Len() int { return len(*d) }

func (d *ints) AppendInts(dst []int64) []int64 { return append(dst, *d...) }

func (d *ints) Steps(step int64) (first int64, ok bool) {
	for i, v := range *d {
		if i > 0 && v != (*d)[i-1]+step {
			return 0, false
		}
	}
	if len(*d) == 0 {
		return 0, false
	}
	return (*d)[0], true
}

// coded is a column of a batch as codes, whatever its arrays are: codes[i] is row i's place in the dictionary, or Null.
// A plain array is its own dictionary.
type coded struct {
	codes []int32
	space []int32
	of    arrow.Array // what texts or ints are made of
	texts *texts
	ints  *ints
}

func (c *coded) set(a arrow.Array) error {
	n := a.Len()
	values := a
	d, ok := a.(*array.Dictionary)
	if ok {
		values = d.Dictionary()
	}
	if err := c.dictionary(values); err != nil {
		return err
	}
	if ok {
		c.codes = d.Indices().(*array.Int32).Int32Values()
		if a.NullN() == 0 {
			return nil
		}
	}
	if cap(c.space) < n {
		c.space = make([]int32, n)
	}
	c.space = c.space[:n]
	for i := range c.space {
		switch {
		case a.IsNull(i):
			c.space[i] = state.Null
		case ok:
			c.space[i] = c.codes[i]
		default:
			c.space[i] = int32(i)
		}
	}
	c.codes = c.space
	return nil
}

// dictionary takes the values. Batches that share a dictionary wrap the same data in arrays of their own.
func (c *coded) dictionary(values arrow.Array) error {
	if c.of != nil && c.of.Data() == values.Data() {
		return nil
	}
	values.Retain()
	if c.of != nil {
		c.of.Release()
	}
	c.of = values
	switch values := values.(type) {
	case *array.String:
		offsets := values.ValueOffsets()
		if len(offsets) == 0 { // of an empty array
			offsets = []int32{0}
		}
		c.texts = &texts{offsets, values.ValueBytes()}
	case *array.Int64:
		v := ints(values.Int64Values())
		c.ints = &v
	case *array.Timestamp:
		v := ints(arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(values.TimestampValues())))
		c.ints = &v
	default:
		return fmt.Errorf("fold a column of %s", values.DataType())
	}
	return nil
}

// batch makes record batches ready for folding. It keeps its memory.
type batch struct {
	cols    [colPrimary]coded
	primary []int32 // 1 where is_primary
	rows    int
	hours   hourTable
	out     state.Batch
}

// set takes a record batch of columns.
func (b *batch) set(rec arrow.Record) error {
	if int(rec.NumCols()) != len(columns) {
		return fmt.Errorf("fold a batch of %d columns, want %d", rec.NumCols(), len(columns))
	}
	b.rows = int(rec.NumRows())
	for i := range b.cols {
		if err := b.cols[i].set(rec.Column(i)); err != nil {
			return err
		}
	}
	primary, ok := rec.Column(colPrimary).(*array.Boolean)
	if !ok {
		return fmt.Errorf("fold a batch whose is_primary is %s", rec.Column(colPrimary).DataType())
	}
	b.primary = grow(b.primary, b.rows)
	bits, offset := primary.Data().Buffers()[1].Bytes(), primary.Offset()
	for i := range b.primary {
		b.primary[i] = int32(bits[(i+offset)>>3] >> ((i + offset) & 7) & 1)
	}

	b.out.Dict = state.Dicts{Users: b.cols[colUser].ints, Tracks: b.cols[colTrack].texts, Artists: b.cols[colArtists].texts,
		Names: b.cols[colName].texts, Genres: b.cols[colGenre].texts, Popularity: b.cols[colPopularity].ints, Duration: b.cols[colDuration].ints}
	b.out.Users = b.cols[colUser].codes[:b.rows]
	b.hours.use(b.cols[colTime].ints)
	b.out.Hours = grow(b.out.Hours, b.rows)
	b.hours.of(b.out.Hours, b.cols[colTime].codes[:b.rows])
	b.out.Runs = b.out.Runs[:0]
	for i := 0; i < b.rows; {
		end := b.runEnd(i)
		b.out.Runs = append(b.out.Runs, state.Run{Rows: int32(end - i), Track: b.cols[colTrack].codes[i], Artists: b.cols[colArtists].codes[i],
			Name: b.cols[colName].codes[i], Popularity: b.cols[colPopularity].codes[i], Duration: b.cols[colDuration].codes[i],
			Genre: b.cols[colGenre].codes[i], Primary: b.primary[i] == 1})
		i = end
	}
	return nil
}

// grow makes s n long, whatever is in it.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
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

package integrate

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"

	"mss/internal/csvio"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// dimensionOf makes a Dimension of tracks in several genres and of users, some of which stand twice when many is set.
func dimensionOf(tracks, genres, users int, many bool) *Dimension {
	enc := make([]*parquetio.ColumnEncoder, 6)
	for i, c := range schema.Songs.Columns[:6] {
		enc[i] = parquetio.NewColumnEncoder(c.Kind)
	}
	codes := make([][]uint32, 7)
	add := func(i int, code uint32) { codes[i] = append(codes[i], code) }
	for t := range tracks {
		for g := range 1 + t%3 {
			add(0, enc[0].Text(trackID(t)))
			for i := 1; i <= 2; i++ {
				code := parquetio.Null
				if t%7 != i {
					code = enc[i].Text(fmt.Sprintf("%d é %d", i, t/i))
				}
				add(i, code)
			}
			add(3, enc[3].Int(int64(t%101)))
			add(4, enc[4].Int(int64(100000+t)))
			add(5, enc[5].Text(fmt.Sprintf("genre %05d", (t+g)%genres)))
			primary := uint32(0)
			if g == 0 {
				primary = 1
			}
			add(6, primary)
		}
	}
	songs := make([]column, 7)
	for i := range enc {
		songs[i] = enc[i].Finish(codes[i])
	}
	songs[6] = column{Codes: codes[6]}
	id, created := parquetio.NewColumnEncoder(schema.Int64), parquetio.NewColumnEncoder(schema.Timestamp)
	var ids, createds []uint32
	for u := range users {
		for k := range 1 + u%2 {
			if k > 0 && !many {
				continue
			}
			ids = append(ids, id.Int(int64(u)))
			createds = append(createds, created.Int(int64(u%50+k)*86400e6))
		}
	}
	return newDimension(songs, []column{id.Finish(ids), created.Finish(createds)})
}

func trackID(t int) string { return fmt.Sprintf("%022d", t) }

// TestEncodeShapes integrates chunks of many shapes, and compares the rows with a join row by row: few and many tracks, users and
// genres, whole and cut dictionaries, unknown keys, times that fit a dictionary and times that do not.
func TestEncodeShapes(t *testing.T) {
	for _, c := range []struct {
		tracks, genres, users, plays int
		many                         bool
		span                         int64 // seconds
		micros                       bool
	}{
		{10, 3, 5, 1, false, 10, false},
		{10, 3, 5, 5000, false, 100, false},
		{10, 3, 5, 40000, true, 86400, false},
		{50000, 20000, 30000, 500, false, 86400, false},
		{50000, 20000, 30000, 60000, true, 400 * 365 * 86400, false},
		{100, 10, 100, 20000, false, 1000, true},
		{0, 1, 0, 100, false, 1000, false},
		{140000, 114, 60000, 90000, false, 86400, false},
	} {
		r := rand.New(rand.NewPCG(uint64(c.plays), 9))
		var csv strings.Builder
		csv.WriteString("user_id,track_id,listen_time\n")
		for range c.plays {
			s := r.Int64N(c.span)
			frac := ""
			if c.micros {
				frac = fmt.Sprintf(".%06d", r.IntN(1000000))
			}
			sec := s % 86400
			fmt.Fprintf(&csv, "%d,%s,%04d-%02d-%02d %02d:%02d:%02d%s\n", r.IntN(c.users+3), trackID(r.IntN(c.tracks+c.tracks/50+2)),
				1700+s/86400/365, 1+s/86400/28%12, 1+s/86400%28, sec/3600, sec/60%60, sec%60, frac)
		}
		dim := dimensionOf(c.tracks, c.genres, c.users, c.many)
		data := []byte(csv.String())
		want := naiveJoin(t, dim, data)
		got := integrateAll(t, dim, data)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d rows, want %d", c, len(got), len(want))
			for i := range got {
				if i < len(want) && got[i] != want[i] {
					t.Fatalf("first difference: got %s, want %s", got[i], want[i])
				}
			}
		}
	}
}

func text(c *column, code uint32) string {
	if code == none {
		return "NULL"
	}
	return string(c.Dict.Text(code))
}

func num(c *column, code uint32) string {
	if code == none {
		return "NULL"
	}
	return fmt.Sprint(c.Dict.Int(code))
}

// naiveJoin joins row by row.
func naiveJoin(t *testing.T, d *Dimension, data []byte) (out []string) {
	l, err := csvio.ReadLayout(bytes.NewReader(data), schema.RawStreams)
	if err != nil {
		t.Fatal(err)
	}
	songsOf, usersOf := map[string][]int{}, map[int64][]int{}
	for i, code := range d.track.Codes {
		id := string(d.track.Dict.Text(code))
		songsOf[id] = append(songsOf[id], i)
	}
	for i, code := range d.user.Codes {
		id := d.user.Dict.Int(code)
		usersOf[id] = append(usersOf[id], i)
	}
	var s csvio.Rows
	s.Reset(bytes.NewReader(data[l.Start:]), l, csvio.Chunk{Start: l.Start, End: int64(len(data)), Aligned: true})
	for {
		v, ok, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		songs, users := songsOf[string(v[1].Text)], usersOf[v[0].Int]
		if songs == nil {
			songs = []int{-1}
		}
		if users == nil {
			users = []int{-1}
		}
		for _, song := range songs {
			for k, user := range users {
				row := fmt.Sprintf("%d %s %d ", v[0].Int, v[1].Text, v[2].Int)
				primary := k == 0
				if song < 0 {
					row += "NULL NULL NULL NULL NULL "
				} else {
					row += text(&d.artists, d.artists.Codes[song]) + " " + text(&d.name, d.name.Codes[song]) + " " + num(&d.popularity, d.popularity.Codes[song]) + " " +
						num(&d.duration, d.duration.Codes[song]) + " " + text(&d.genre, d.genre.Codes[song]) + " "
					primary = primary && d.primary[song] == 1
				}
				if user < 0 {
					row += "NULL "
				} else {
					row += num(&d.created, d.created.Codes[user]) + " "
				}
				out = append(out, row+fmt.Sprint(primary))
			}
		}
	}
}

// integrateAll integrates a file as one chunk, and reads the Parquet back.
func integrateAll(t *testing.T, d *Dimension, data []byte) (out []string) {
	l, err := csvio.ReadLayout(bytes.NewReader(data), schema.RawStreams)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorker(d, nil, 10)
	w.Reset(bytes.NewReader(data[l.Start:]), l, csvio.Chunk{Start: l.Start, End: int64(len(data)), Aligned: true})
	res, err := w.Collect()
	if err != nil {
		t.Fatal(err)
	}
	if res.primary != res.plays {
		t.Fatalf("%d primary rows of %d plays", res.primary, res.plays)
	}
	var file bytes.Buffer
	pw := parquetio.NewWriter(&file, schema.Transformed)
	if err := pw.Append(res.group); err != nil {
		t.Fatal(err)
	}
	if err := pw.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := parquetio.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var b parquetio.BatchReader
	if err := b.Reset(f, 0, schema.Transformed.Columns); err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := b.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			var fields []string
			for _, col := range rec.Columns() {
				at := i
				if col.IsNull(i) {
					fields = append(fields, "NULL")
					continue
				}
				if d, ok := col.(*array.Dictionary); ok {
					at, col = d.GetValueIndex(i), d.Dictionary()
				}
				switch a := col.(type) {
				case *array.Timestamp:
					fields = append(fields, fmt.Sprint(int64(a.Value(at))))
				default:
					fields = append(fields, a.ValueStr(at))
				}
			}
			out = append(out, strings.Join(fields, " "))
		}
	}
}

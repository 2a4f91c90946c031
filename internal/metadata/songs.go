package metadata

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"mss/internal/csvio"
	"mss/internal/ingest"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// song is a row of songs.csv. An empty text is NULL, as in the input.
type song struct {
	track, artists, name, genre string
	popularity, duration        int64
	noPopularity, noDuration    bool
}

// songWorker collects the rows of a chunk.
type songWorker struct {
	csvio.Rows
	text []byte
	ends []int // of the four texts of each row, in text
	most int   // rows of the largest chunk so far
}

// Collect reads the chunk that was begun to its end.
func (w *songWorker) Collect() ([]song, error) {
	w.text, w.ends = w.text[:0], w.ends[:0]
	songs := make([]song, 0, w.most+w.most/8)
	for {
		v, ok, err := w.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		for _, i := range [...]int{0, 1, 2, 5} {
			if !v[i].Null {
				w.text = append(w.text, v[i].Text...)
			}
			w.ends = append(w.ends, len(w.text))
		}
		songs = append(songs, song{popularity: v[3].Int, noPopularity: v[3].Null, duration: v[4].Int, noDuration: v[4].Null})
	}
	w.most = max(w.most, len(songs))
	// One string for all texts of the chunk, instead of four for each row.
	text, from := string(w.text), 0
	next := func(i int) string {
		s := text[from:w.ends[i]]
		from = w.ends[i]
		return s
	}
	for i := range songs {
		s := &songs[i]
		s.track, s.artists, s.name, s.genre = next(4*i), next(4*i+1), next(4*i+2), next(4*i+3)
	}
	return songs, nil
}

// nullLast orders texts by their bytes, NULL last.
func nullLast(a, b string) int {
	if a == "" || b == "" {
		return -cmp.Compare(len(a), len(b)) // the empty one is greater
	}
	return strings.Compare(a, b)
}

// nullRank orders nulls last.
func nullRank(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// compareSongs is the order of the contract: of rows that share track and genre, the first one stays.
func compareSongs(a, b *song) int {
	if c := strings.Compare(a.track, b.track); c != 0 {
		return c
	}
	if c := nullLast(a.genre, b.genre); c != 0 {
		return c
	}
	if c := cmp.Or(nullRank(a.noPopularity, b.noPopularity), -cmp.Compare(a.popularity, b.popularity)); c != 0 {
		return c
	}
	return cmp.Or(nullLast(a.name, b.name), nullLast(a.artists, b.artists),
		nullRank(a.noDuration, b.noDuration), cmp.Compare(a.duration, b.duration))
}

// sortKey is a row's place in the order by its track's first eight bytes; most comparisons need no more.
type sortKey[R any] struct {
	prefix uint64
	row    R
}

func prefix(s string) uint64 {
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// collapse sorts the rows, and keeps the first of each (track_id, genre). With glue semantics all rows stay.
func collapse(parts [][]song, sem schema.Semantics) []*song {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	keys := make([]sortKey[*song], 0, n)
	for _, p := range parts {
		for i := range p {
			keys = append(keys, sortKey[*song]{prefix(p[i].track), &p[i]})
		}
	}
	slices.SortFunc(keys, func(a, b sortKey[*song]) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return compareSongs(a.row, b.row)
	})
	kept := make([]*song, 0, n)
	for _, k := range keys {
		s := k.row
		if n := len(kept); sem == schema.Corrected && n > 0 && kept[n-1].track == s.track && kept[n-1].genre == s.genre {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// songs reads, collapses and stages songs.parquet.
func (j *Job) songs(ctx context.Context, t *table) error {
	var parts [][]song
	err := read(ctx, j, t, schema.RawSongs, func() ingest.Worker[[]song] { return &songWorker{} },
		func(part []song) { parts = append(parts, part) })
	if err != nil {
		return err
	}
	return j.write(ctx, t, schema.Songs, songColumns(collapse(parts, j.Run.Semantics), j.Run.Threads))
}

// songColumns encodes sorted rows as columns; the order is that of schema.Songs.
func songColumns(rows []*song, threads int) []parquetio.ColumnData {
	cols := make([]parquetio.ColumnData, len(schema.Songs.Columns))
	text := func(i int, of func(*song) string) func() {
		return func() { cols[i] = textColumn(rows, of) }
	}
	parallel(threads,
		text(2, func(s *song) string { return s.name }),
		text(1, func(s *song) string { return s.artists }),
		text(0, func(s *song) string { return s.track }),
		func() {
			cols[4] = intColumn(schema.Int64, rows, func(s *song) (int64, bool) { return s.duration, s.noDuration })
		},
		text(5, func(s *song) string { return s.genre }),
		func() {
			cols[3] = intColumn(schema.Int64, rows, func(s *song) (int64, bool) { return s.popularity, s.noPopularity })
		},
		func() {
			primary := make([]uint32, len(rows))
			for i, s := range rows {
				if i == 0 || rows[i-1].track != s.track {
					primary[i] = 1
				}
			}
			cols[6] = parquetio.ColumnData{Codes: primary}
		})
	return cols
}

package kpi

import (
	"context"
	"io"

	"mss/internal/kpi/state"
	"mss/internal/parquetio"
)

// runColumns are columns as the fast way reads them.
var runColumns = func() (cols []parquetio.RunColumn) {
	for i, c := range columns {
		cols = append(cols, parquetio.RunColumn{Column: c, ByRow: i == colUser || i == colTime, Own: i == colTime})
	}
	return cols
}()

// songColumns are those whose codes come in runs, in the order of cursor.
var songColumns = [...]int{colTrack, colArtists, colName, colPopularity, colDuration, colGenre, colPrimary}

// zip makes the runs of a batch of those of its columns: a run ends where that of any column ends.
type zip struct {
	codes, ends [len(songColumns)][]int32
}

// of appends to runs. All columns have the same number of rows.
func (z *zip) of(r *parquetio.RunReader, rows int, runs []state.Run) []state.Run {
	for i, col := range songColumns {
		c := r.Runs(col)
		z.codes[i], z.ends[i] = c.Codes, c.Ends
	}
	track, artists, name, popularity, duration, genre, primary := z.ends[0], z.ends[1], z.ends[2], z.ends[3], z.ends[4], z.ends[5], z.ends[6]
	var t, a, n, p, d, g, q int
	for at := int32(0); at < int32(rows); {
		te, ae, ne, pe, de, ge, qe := track[t], artists[a], name[n], popularity[p], duration[d], genre[g], primary[q]
		end := min(te, ae, ne, pe, de, ge, qe)
		runs = append(runs, state.Run{Rows: end - at, Track: z.codes[0][t], Artists: z.codes[1][a], Name: z.codes[2][n],
			Popularity: z.codes[3][p], Duration: z.codes[4][d], Genre: z.codes[5][g], Primary: z.codes[6][q] == 1})
		at = end
		// Which of them go on is as good as random: no branches.
		t, a, n, p = t+is(te == end), a+is(ae == end), n+is(ne == end), p+is(pe == end)
		d, g, q = d+is(de == end), g+is(ge == end), q+is(qe == end)
	}
	return runs
}

func is(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shared is a dictionary of texts as package state wants it.
type shared struct{ *parquetio.Dictionary }

func (d shared) Common(other state.Texts) int {
	o, ok := other.(shared)
	if !ok {
		return 0
	}
	return d.Dictionary.Common(o.Dictionary)
}

// foldRuns folds a row group by runs: the way for files that mss wrote. False means that this one is none of them; nothing is folded
// then.
func (w *worker) foldRuns(ctx context.Context, chunks *parquetio.RunChunks) (ok bool, err error) {
	r := &w.runs
	if ok, err := r.Reset(chunks, w.dicts); !ok || err != nil {
		return ok, err
	}
	b := &w.runBatch
	b.Dict = state.Dicts{Users: r.Dict(colUser), Tracks: shared{r.Dict(colTrack)}, Artists: shared{r.Dict(colArtists)}, Names: shared{r.Dict(colName)},
		Genres: shared{r.Dict(colGenre)}, Popularity: r.Dict(colPopularity), Duration: r.Dict(colDuration)}
	if d := r.Dict(colTime); d != nil {
		w.hours.use(d)
	}
	for {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		rows, err := r.Next()
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return true, err
		}
		b.Users = r.Codes(colUser)
		b.Hours = grow(b.Hours, rows)
		if codes := r.Codes(colTime); codes != nil {
			w.hours.of(b.Hours, codes)
		} else {
			hoursOf(b.Hours, r.Ints(colTime))
		}
		b.Runs = w.zip.of(r, rows, b.Runs[:0])
		if err := w.folder.Fold(b); err != nil {
			return true, err
		}
	}
}

package integrate

import (
	"mss/internal/csvio"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// worker joins the plays of one chunk at a time, and encodes them as one row group.
type worker struct {
	csvio.Plays
	dim    *Dimension
	tracks *trackIndex
	batch  csvio.PlayBatch

	// The plays of the chunk. A code that the dimension has not counts on behind its codes: in order of appearance at first, and at the end
	// in the order of the keys, so that the row group depends on the order of each track's plays alone (see replay).
	track []uint32
	user  []uint32 // first row of the user in users.parquet, or behind its rows
	time  []int64

	newTracks extension[string]
	newUsers  extension[int64]
	encoder   encoder
	groups    chan *parquetio.Group // row groups to use again
	sizes     []int                 // of the columns of the last row group
}

// result is a chunk, joined and encoded.
type result struct {
	group   *parquetio.Group // nil when the chunk has no plays
	rows    int64            // of the row group
	plays   int64
	primary int64 // rows with is_primary: as many as plays, or the join is wrong

	unknownTracks, unknownUsers int64 // plays whose track or user the metadata lacks

	first, last int64 // times of plays, microseconds
}

// newWorker makes a worker; plays is about how many a chunk holds.
func newWorker(dim *Dimension, groups chan *parquetio.Group, plays int64) *worker {
	w := &worker{dim: dim, tracks: dim.tracks.clone(), groups: groups}
	w.track, w.user, w.time = make([]uint32, 0, plays), make([]uint32, 0, plays), make([]int64, 0, plays)
	w.encoder.plays = make([]uint64, 0, plays)
	w.newTracks, w.newUsers = newExtension[string](schema.String), newExtension[int64](schema.Int64)
	w.encoder.init(dim)
	return w
}

// Collect reads the chunk that was begun to its end.
func (w *worker) Collect() (result, error) {
	w.clear()
	var res result
	for {
		ok, err := w.Next(&w.batch)
		if err != nil {
			return res, err
		}
		if !ok {
			break
		}
		from := len(w.track)
		w.track = w.tracks.lookup(&w.batch, w.track)
		w.user = w.dim.users.lookup(w.batch.User[:w.batch.N], w.user)
		w.time = append(w.time, w.batch.Time[:w.batch.N]...)
		res.unknownTracks += w.extendTracks(from)
		res.unknownUsers += w.extendUsers(from, w.batch.User)
	}
	w.encode(&res)
	return res, nil
}

// clear begins a chunk.
func (w *worker) clear() {
	w.track, w.user, w.time = w.track[:0], w.user[:0], w.time[:0]
	w.newTracks.reset()
	w.newUsers.reset()
}

// encode makes the row group of the chunk's plays.
func (w *worker) encode(res *result) {
	res.plays = int64(len(w.track))
	if res.plays == 0 {
		return
	}
	w.newTracks.finish(w.track, uint32(w.dim.track.Dict.Len()))
	w.newUsers.finish(w.user, uint32(len(w.dim.user.Codes)))
	select {
	case res.group = <-w.groups:
	default:
		res.group = parquetio.NewGroup(schema.Transformed)
		res.group.Like(w.sizes)
	}
	if w.dim.manyUsers {
		w.expandUsers()
	}
	w.encoder.encode(w, res)
	w.sizes = res.group.Sizes()
}

// extendTracks numbers the unknown tracks of the batch, whose codes begin at from.
func (w *worker) extendTracks(from int) (unknown int64) {
	n := uint32(w.dim.track.Dict.Len())
	for i, code := range w.track[from:] {
		if code != none {
			continue
		}
		unknown++
		w.track[from+i] = n + w.newTrack(w.batch.Track(i))
	}
	return unknown
}

// newTrack numbers an unknown track.
func (w *worker) newTrack(id []byte) uint32 {
	if code, ok := w.newTracks.codes[string(id)]; ok { // no copy of the text
		return code
	}
	return w.newTracks.add(string(id))
}

// extendUsers numbers the unknown users of a batch, whose codes begin at from, and takes the known ones to their first row.
func (w *worker) extendUsers(from int, ids []int64) (unknown int64) {
	d := w.dim
	n := uint32(len(d.user.Codes))
	for i, code := range w.user[from:] {
		if code != none {
			if d.manyUsers {
				w.user[from+i] = d.firstUser[code]
			}
			continue
		}
		unknown++
		w.user[from+i] = n + w.newUsers.add(ids[i])
	}
	return unknown
}

// expandUsers repeats each play for each row of its user: glue semantics with duplicate users.
func (w *worker) expandUsers() {
	d := w.dim
	n := len(w.track)
	for i := range n {
		row := w.user[i]
		if int(row) >= len(d.user.Codes) {
			continue
		}
		for r := row + 1; r < d.firstUser[d.user.Codes[row]+1]; r++ {
			w.track = append(w.track, w.track[i])
			w.user = append(w.user, r)
			w.time = append(w.time, w.time[i])
		}
	}
}

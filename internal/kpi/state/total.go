package state

import (
	"math"
	"slices"
	"sync"

	"mss/internal/schema"
)

// Total is an exact result that is still open: row groups are folded into it, parts are added to it and other Totals merged
// into it in any order, and the rows are the same. Its size depends on the number of genres, tracks, users and artists, not on the
// number of plays.
type Total struct {
	keys *Keys
	sem  schema.Semantics
	mu   sync.Mutex // held while a part is added

	tally
	genres genres
	users  []uint32        // by code: the hours in which the user occurs, as bits
	songs  [][hours]uint32 // by code: rows by the hour
	wide   [][hours]uint64 // what songs could not hold
	narrow int64           // rows counted in songs since they were last taken over to wide
	limit  int64           // of narrow
}

const hours = 24

// tally counts rows.
type tally struct {
	rows    int64 // all of them
	primary int64 // those with is_primary: the plays
	counted int64 // those that count in the hours: the primary rows, or all under glue semantics
}

func (t *tally) add(o tally) {
	t.rows += o.rows
	t.primary += o.primary
	t.counted += o.counted
}

// NewTotal makes an empty one.
func NewTotal(keys *Keys, sem schema.Semantics) *Total {
	return &Total{keys: keys, sem: sem, limit: math.MaxUint32}
}

// Rows counts the rows of all objects.
func (t *Total) NumRows() int64 { return t.rows }

// Plays counts the rows with is_primary.
func (t *Total) Plays() int64 { return t.primary }

// Counted counts the rows that are to be counted in the hours.
func (t *Total) Counted() int64 { return t.counted }

// begin makes room for n more rows to be counted, and for all keys that are numbered now.
func (t *Total) begin(n int64) {
	if t.narrow+n > t.limit {
		t.widen()
	}
	t.narrow += n
	t.fitSongs(t.keys.songs.size())
}

// widen takes the counters over to ones of 64 bits. Those that are looked up are half as wide, for memory is what that waits for.
func (t *Total) widen() {
	t.wide = fit(t.wide, len(t.songs))
	for i := range t.songs {
		for h, n := range t.songs[i] {
			t.wide[i][h] += uint64(n)
		}
	}
	clear(t.songs)
	t.narrow = 0
}

// fitSongs makes room for n songs, all at once for as many as there are tracks: mostly each is in one song.
func (t *Total) fitSongs(n int) {
	if n <= len(t.songs) {
		return
	}
	if n > cap(t.songs) {
		room := max(n, t.keys.tracks.size())
		t.songs = slices.Grow(t.songs, room+room/8-len(t.songs))
	}
	t.songs = fit(t.songs, n)
}

// countsOf gives the rows of a song by the hour, and the hours in which there are some, as bits.
func (t *Total) countsOf(song uint32, counts *[hours]uint64) (mask uint32) {
	if int(song) < len(t.songs) {
		for h, n := range t.songs[song] {
			counts[h] = uint64(n)
			mask |= uint32((uint64(n)-1)>>63^1) << h // without a branch: whether there are some is as good as random
		}
	} else {
		clear(counts[:])
	}
	if int(song) < len(t.wide) {
		for h, n := range t.wide[song] {
			if n > 0 {
				counts[h] += n
				mask |= 1 << h
			}
		}
	}
	return mask
}

// Merge adds another Total of the same keys and semantics. Nothing may be folded into either meanwhile.
func (t *Total) Merge(o *Total) {
	t.tally.add(o.tally)
	t.genres.merge(&o.genres)
	t.users = fit(t.users, len(o.users))
	for code, bits := range o.users {
		t.users[code] |= bits
	}
	t.begin(o.narrow)
	for i := range o.songs {
		a, b := &t.songs[i], &o.songs[i]
		for h := range a {
			a[h] += b[h]
		}
	}
	t.wide = fit(t.wide, len(o.wide))
	for i := range o.wide {
		for h, n := range o.wide[i] {
			t.wide[i][h] += n
		}
	}
}

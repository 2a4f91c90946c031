package state

import (
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
	users  []uint32                  // by code: the hours in which the user occurs, as bits
	songs  [][hours]uint16           // by code: rows by the hour, without their multiples of 65,536. Memory is what a look-up here waits for
	wide   map[uint32]*[hours]uint64 // by code: these multiples, where there are some
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
func NewTotal(keys *Keys, sem schema.Semantics) *Total { return &Total{keys: keys, sem: sem} }

// NumRows counts all rows.
func (t *Total) NumRows() int64 { return t.rows }

// Plays counts the rows with is_primary.
func (t *Total) Plays() int64 { return t.primary }

// Counted counts the rows that are to be counted in the hours.
func (t *Total) Counted() int64 { return t.counted }

// fit makes room for all users and songs that have numbers now.
func (t *Total) fit() {
	t.users = fit(t.users, t.keys.users.size())
	n := t.keys.songs.size()
	if n > cap(t.songs) { // once for all: mostly there is a song for each track
		room := max(n, t.keys.tracks.size())
		t.songs = slices.Grow(t.songs, room+room/8-len(t.songs))
	}
	t.songs = fit(t.songs, n)
}

// carry counts rows of a song that songs has no room for: n is a multiple of 65,536.
func (t *Total) carry(song uint32, h int, n uint64) {
	w := t.wide[song]
	if w == nil {
		if t.wide == nil {
			t.wide = map[uint32]*[hours]uint64{}
		}
		w = &[hours]uint64{}
		t.wide[song] = w
	}
	w[h] += n
}

// narrow is what carry need not count.
const narrow = 1<<16 - 1

// countsOf gives the rows of a song by the hour, and the hours in which there are some, as bits.
func (t *Total) countsOf(song uint32, counts *[hours]uint64) (mask uint32) {
	for h, n := range t.songs[song] {
		counts[h] = uint64(n)
	}
	if w := t.wide[song]; w != nil {
		for h, n := range w {
			counts[h] += n
		}
	}
	for h, n := range counts {
		if n > 0 {
			mask |= 1 << h
		}
	}
	return mask
}

// hoursOf gives the hours in which there are rows of a song, as bits.
func (t *Total) hoursOf(song uint32) (mask uint32) {
	for h, n := range t.songs[song] {
		mask |= uint32(n|-n) >> 15 & 1 << h // without a branch: whether there are some is as good as random
	}
	if t.wide == nil {
		return mask
	}
	if w := t.wide[song]; w != nil {
		for h, n := range w {
			if n > 0 {
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
	t.fit()
	for code, bits := range o.users {
		t.users[code] |= bits
	}
	for i := range o.songs {
		a, b := &t.songs[i], &o.songs[i]
		for h := range a {
			n := uint64(a[h]) + uint64(b[h])
			a[h] = uint16(n)
			if n > narrow {
				t.carry(uint32(i), h, n&^narrow)
			}
		}
	}
	for song, w := range o.wide {
		for h, n := range w {
			if n > 0 {
				t.carry(song, h, n)
			}
		}
	}
}

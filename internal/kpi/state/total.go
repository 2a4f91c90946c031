package state

import (
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
	genres  genres
	users   []uint32                  // by code: the hours in which the user occurs, as bits
	tracks  []uint32                  // likewise
	artists [][hours]uint16           // by code plus one, for None is 0: rows by the hour, without their multiples of 65,536
	wide    map[uint32]*[hours]uint64 // by code plus one: these multiples, where there are some

	ahead   [128]song // of the part that is added
	touched uint32    // nobody reads it: it keeps the loads of fetch from being optimised away
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

// fit makes room for all keys that have numbers now.
func (t *Total) fit() {
	t.users = fit(t.users, t.keys.users.size())
	t.tracks = fit(t.tracks, t.keys.tracks.size())
	t.artists = fit(t.artists, t.keys.artists.size()+1)
}

// addPart adds a part and the genres of its rows. It may be called concurrently.
func (t *Total) addPart(p *part, g *genres) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fit()
	t.tally.add(p.tally)
	t.genres.merge(g)
	for i, code := range p.users {
		t.users[code] |= p.hours[i]
	}
	songs, in := t.keys.songs.all(), p.in
	for i := range p.songs {
		if i%len(t.ahead) == 0 {
			t.fetch(songs, p.songs[i:])
		}
		s := t.ahead[i%len(t.ahead)]
		at := s.artists + 1 // 0 for None
		counts := &t.artists[at]
		n := p.counts[i]
		mask := uint32(0)
		for _, h := range in[:n] {
			mask |= 1 << (h & 31)
			if counts[h]++; counts[h] == 0 {
				t.carry(at, int(h), narrow+1)
			}
		}
		t.tracks[s.track] |= mask
		in = in[n:]
	}
}

// fetch looks up the next songs, and brings what addPart changes for them into the cache: here the loads do not wait for each other.
func (t *Total) fetch(songs []song, codes []uint32) {
	codes = codes[:min(len(codes), len(t.ahead))]
	touched := uint32(0)
	for i, code := range codes {
		s := songs[code]
		t.ahead[i] = s
		counts := &t.artists[s.artists+1] // may lie across two cache lines
		touched += uint32(counts[0]) + uint32(counts[hours-1]) + t.tracks[s.track]
	}
	t.touched = touched
}

// carry counts rows of artists that the narrow counter has no room for: n is a multiple of 65,536.
func (t *Total) carry(at uint32, h int, n uint64) {
	w := t.wide[at]
	if w == nil {
		if t.wide == nil {
			t.wide = map[uint32]*[hours]uint64{}
		}
		w = &[hours]uint64{}
		t.wide[at] = w
	}
	w[h] += n
}

// narrow is what carry need not count.
const narrow = 1<<16 - 1

// countsOf gives the rows of artists by the hour.
func (t *Total) countsOf(at uint32, counts *[hours]int64) {
	for h, n := range t.artists[at] {
		counts[h] = int64(n)
	}
	if t.wide == nil {
		return
	}
	if w := t.wide[at]; w != nil {
		for h, n := range w {
			counts[h] += int64(n)
		}
	}
}

// Merge adds another Total of the same keys and semantics. Nothing may be folded into either meanwhile.
func (t *Total) Merge(o *Total) {
	t.tally.add(o.tally)
	t.genres.merge(&o.genres)
	t.fit()
	for code, bits := range o.users {
		t.users[code] |= bits
	}
	for code, bits := range o.tracks {
		t.tracks[code] |= bits
	}
	for at := range o.artists {
		a, b := &t.artists[at], &o.artists[at]
		for h := range a {
			n := uint64(a[h]) + uint64(b[h])
			a[h] = uint16(n)
			if n > narrow {
				t.carry(uint32(at), h, n&^narrow)
			}
		}
	}
	for at, w := range o.wide {
		for h, n := range w {
			if n > 0 {
				t.carry(at, h, n)
			}
		}
	}
}

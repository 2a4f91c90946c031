package kpi

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mss/internal/schema"
)

// State is an exact partial result: batches are folded into it in any order, states are merged in any order, and the rows
// are the same. Its size depends on the number of genres, tracks, users and artists, not on the number of plays.
type State struct {
	sem  schema.Semantics
	rows int64
	// primary counts the rows with is_primary: the plays.
	primary int64

	t       *tables
	caches  [4]dictCache // of users, tracks, genres, artists
	genre   []genreState // by code of genres
	noGenre genreState
	users   keyHours // by code of users
	tracks  keyHours
	// Plays by the artists text, by code of artists, and of the rows that have none.
	artistPlays [][hours]int64
	noArtists   [hours]int64
	// Those not added to artistPlays and noArtists yet: half as wide, for they are looked up at random, and memory is what that waits
	// for. They cannot overflow, since they count recent rows.
	recentPlays     [][hours]uint32
	recentNoArtists [hours]uint32
	recent          int64

	batch batch
	hour  hourTable
}

const hours = 24

// genreState is the partial result of one genre.
type genreState struct {
	rows        int64
	duration    sum
	durations   int64 // rows that have one
	popularity  sum
	popularitys int64
	top         candidate
}

// candidate is the row that may be the top one.
type candidate struct {
	any           bool
	noPopularity  bool
	popularity    int64
	name, artists *string
}

// before says whether c beats o: the higher popularity, NULL being the lowest; then the smaller track_name, then artists, NULL
// being the greatest.
func (c *candidate) before(o *candidate) bool {
	switch {
	case !o.any:
		return true
	case c.noPopularity != o.noPopularity:
		return o.noPopularity
	case c.popularity != o.popularity:
		return c.popularity > o.popularity
	}
	if d := compareText(c.name, o.name); d != 0 {
		return d < 0
	}
	return compareText(c.artists, o.artists) < 0
}

// compareText orders texts by bytes, nil last.
func compareText(a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	case *a < *b:
		return -1
	case *a > *b:
		return 1
	}
	return 0
}

// keyHours keeps for each key the hours in which it occurs, as bits.
type keyHours struct {
	hours []uint32 // by code of the table
	// The hours of the keys of the current dictionary, by its codes: so a row needs no look-up of the table's code.
	local []uint32
	codes []uint32 // the table's codes of these
}

// begin turns to a dictionary, whose values have the given codes of the table.
func (k *keyHours) begin(codes []uint32) {
	if len(codes) == len(k.codes) && (len(codes) == 0 || &codes[0] == &k.codes[0]) {
		return
	}
	k.flush()
	k.codes = codes
	if cap(k.local) < len(codes) {
		k.local = make([]uint32, len(codes), len(codes)+len(codes)/8)
	}
	k.local = k.local[:len(codes)]
}

// flush takes the hours of the current dictionary over to the table's codes.
func (k *keyHours) flush() {
	for i, bits := range k.local {
		if bits != 0 {
			k.set(k.codes[i], bits)
			k.local[i] = 0
		}
	}
}

func (k *keyHours) set(code, bits uint32) {
	k.hours = fit(k.hours, int(code)+1)
	k.hours[code] |= bits
}

// fit makes s at least n long.
func fit[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	return append(s, make([]T, n-len(s))...)
}

// count tells for each hour how many keys occur in it.
func (k *keyHours) count() (n [hours]int64) {
	for _, bits := range k.hours {
		for h := range n {
			n[h] += int64(bits >> h & 1)
		}
	}
	return n
}

// NewState makes an empty state.
func NewState(sem schema.Semantics) *State { return &State{sem: sem, t: newTables()} }

// Sibling makes an empty state that shares the numbers of keys: the two can be folded into concurrently, and merged fast.
func (s *State) Sibling() *State { return &State{sem: s.sem, t: s.t} }

// NumRows counts the rows folded in.
func (s *State) NumRows() int64 { return s.rows }

// Plays counts the rows with is_primary.
func (s *State) Plays() int64 { return s.primary }

func (s *State) flush() {
	s.users.flush()
	s.tracks.flush()
	s.flushPlays()
}

func (s *State) flushPlays() {
	s.artistPlays = fit(s.artistPlays, len(s.recentPlays))
	for code := range s.recentPlays {
		for h, n := range s.recentPlays[code] {
			s.artistPlays[code][h] += int64(n)
		}
	}
	clear(s.recentPlays)
	for h, n := range s.recentNoArtists {
		s.noArtists[h] += int64(n)
	}
	s.recentNoArtists, s.recent = [hours]uint32{}, 0
}

// Fold adds a batch of the columns of mss-transformed that KPIs need.
func (s *State) Fold(rec arrow.Record) error {
	b := &s.batch
	if err := b.set(rec); err != nil {
		return err
	}
	s.users.begin(s.t.users.dict(b.cols[colUser].dict, &s.caches[0]))
	s.tracks.begin(s.t.tracks.dict(b.cols[colTrack].dict.(*array.String), &s.caches[1]))
	genres := s.t.genres.dict(b.cols[colGenre].dict.(*array.String), &s.caches[2])
	artists := s.t.artists.dict(b.cols[colArtists].dict.(*array.String), &s.caches[3])
	s.genre = fit(s.genre, s.t.genres.len())
	s.recentPlays = fit(s.recentPlays, s.t.artists.len())
	if s.recent += int64(b.rows); s.recent > math.MaxUint32 {
		s.flushPlays()
		s.recent = int64(b.rows)
	}
	s.hour.set(b.cols[colTime].dict)
	popularity, duration := intsOf(b.cols[colPopularity].dict), intsOf(b.cols[colDuration].dict)
	names := b.cols[colName].dict.(*array.String)
	artistNames := b.cols[colArtists].dict.(*array.String)
	userCodes, timeCodes := b.cols[colUser].codes[:b.rows], b.cols[colTime].codes[:b.rows]

	s.rows += int64(b.rows)
	for i := 0; i < b.rows; {
		end := b.runEnd(i)
		n := int64(end - i)

		g := &s.noGenre
		if code := b.cols[colGenre].codes[i]; code != null {
			g = &s.genre[genres[code]]
		}
		g.rows += n
		if code := b.cols[colDuration].codes[i]; code != null {
			g.duration.add(duration[code], n)
			g.durations += n
		}
		pop := b.cols[colPopularity].codes[i]
		if pop != null {
			g.popularity.add(popularity[pop], n)
			g.popularitys += n
		}
		artist := b.cols[colArtists].codes[i]
		// A texts' copy is made only for a row that may win.
		if pop != null && (!g.top.any || g.top.noPopularity || popularity[pop] >= g.top.popularity) ||
			pop == null && (!g.top.any || g.top.noPopularity) {
			c := candidate{any: true, noPopularity: pop == null, name: textOf(names, b.cols[colName].codes[i]), artists: textOf(artistNames, artist)}
			if pop != null {
				c.popularity = popularity[pop]
			}
			if c.before(&g.top) {
				g.top = c
			}
		}

		primary := b.primary[i] == 1
		if primary {
			s.primary += n
		}
		if primary || s.sem == schema.Glue {
			counts := &s.recentNoArtists
			if artist != null {
				counts = &s.recentPlays[artists[artist]]
			}
			s.tracks.local[b.cols[colTrack].codes[i]] |= countRun(counts, s.users.local, &s.hour, userCodes[i:end], timeCodes[i:end])
		}
		i = end
	}
	return nil
}

// countRun counts the plays of a run by the hour, marks the hours of their users, and returns those of their track.
func countRun(counts *[hours]uint32, users []uint32, hour *hourTable, userCodes, timeCodes []int32) (seen uint32) {
	userCodes = userCodes[:len(timeCodes)]
	hourOf, shift, width := hour.hours, hour.shift, hour.bits&31
	for j, code := range timeCodes {
		h := hourOf[(uint32(code)+shift)>>width]
		bit := uint32(1) << (h & 31)
		users[userCodes[j]] |= bit
		counts[h]++
		seen |= bit
	}
	return seen
}

func textOf(values *array.String, code int32) *string {
	if code == null {
		return nil
	}
	s := string(textAt(values, int(code)))
	return &s
}

// hourTable gives the hour of day of each value of a dictionary of timestamps: of code c it is hours[(c+shift)>>bits].
// A dictionary of one second after the other, as mss writes them, gets a table of stretches of 16 seconds, none of which
// lies in two hours: it stays in the first-level cache, where one of all seconds would not.
type hourTable struct {
	dict  arrow.Array
	hours []uint8
	shift uint32
	bits  uint
}

const (
	stretchBits = 4
	second      = 1000000 // microseconds
)

func (t *hourTable) set(dict arrow.Array) {
	if t.dict != nil && t.dict.Data() == dict.Data() {
		return
	}
	dict.Retain()
	if t.dict != nil {
		t.dict.Release()
	}
	t.dict = dict
	values := intsOf(dict)
	t.hours, t.shift, t.bits = t.hours[:0], 0, 0
	if consecutive(values) {
		const stretch = 1 << stretchBits
		at := values[0] / second
		t.shift, t.bits = uint32((at%stretch+stretch)%stretch), stretchBits
		for s := at - int64(t.shift); s < at+int64(len(values)); s += stretch {
			t.hours = append(t.hours, hourOf(s*second))
		}
		return
	}
	for _, micros := range values {
		t.hours = append(t.hours, hourOf(micros))
	}
}

// consecutive says whether the values are whole seconds, one after the other.
func consecutive(values []int64) bool {
	if len(values) == 0 || values[0]%second != 0 {
		return false
	}
	for i := 1; i < len(values); i++ {
		if values[i] != values[i-1]+second {
			return false
		}
	}
	return true
}

const day = 86400 * 1000000 // microseconds

// hourOf is the hour of day of microseconds since 1970, also before it.
func hourOf(micros int64) uint8 {
	in := micros % day
	if in < 0 {
		in += day
	}
	return uint8(in / (day / hours))
}

// Merge adds another state of the same semantics.
func (s *State) Merge(o *State) {
	s.flush()
	o.flush()
	s.rows += o.rows
	s.primary += o.primary
	s.noGenre.merge(&o.noGenre)
	for h := range hours {
		s.noArtists[h] += o.noArtists[h]
	}
	same := s.t == o.t
	// in gives the code that a code of o has in s.
	in := func(code int, table func() uint32) uint32 {
		if same {
			return uint32(code)
		}
		return table()
	}
	for code := range o.genre {
		at := in(code, func() uint32 { return s.t.genres.add(o.t.genres.values[code]) })
		s.genre = fit(s.genre, int(at)+1)
		s.genre[at].merge(&o.genre[code])
	}
	for code, bits := range o.users.hours {
		s.users.set(in(code, func() uint32 { return s.t.users.add(o.t.users.values[code]) }), bits)
	}
	for code, bits := range o.tracks.hours {
		s.tracks.set(in(code, func() uint32 { return s.t.tracks.add(o.t.tracks.values[code]) }), bits)
	}
	for code := range o.artistPlays {
		at := in(code, func() uint32 { return s.t.artists.add(o.t.artists.values[code]) })
		s.artistPlays = fit(s.artistPlays, int(at)+1)
		for h, n := range o.artistPlays[code] {
			s.artistPlays[at][h] += n
		}
	}
}

func (g *genreState) merge(o *genreState) {
	g.rows += o.rows
	g.duration.merge(o.duration)
	g.durations += o.durations
	g.popularity.merge(o.popularity)
	g.popularitys += o.popularitys
	if o.top.any && o.top.before(&g.top) {
		g.top = o.top
	}
}

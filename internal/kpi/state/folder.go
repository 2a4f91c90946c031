package state

import (
	"slices"

	"mss/internal/schema"
)

// Folder folds the rows of one row group after the other into a Total and, if wanted, makes the states of the objects that they
// are of. It belongs to one goroutine; several may have the same Total.
type Folder struct {
	keys   *Keys
	sem    schema.Semantics
	total  *Total
	states bool

	// What the codes of the current dictionaries mean.
	dict       Dicts
	users      []uint32    // their codes in keys
	tracks     []uint32    // likewise, behind that of null
	artists    []uint32    // likewise
	genreOf    []*genre    // behind that of null
	songs      []knownSong // by track
	popularity []int64
	duration   []int64 // behind that of null

	found     []found  // by run of the batch
	userHours []uint32 // by code of the dictionary: the hours in which the user occurs, as bits
	genres    genres   // of the row group
	part      part
	sorter    sorter
	encoder   partEncoder
	encoded   []byte // parts of the row group that did not fit into one

	missing missing
}

// knownSong is the song of a track of the current dictionary that was met last.
type knownSong struct {
	artists int32 // its code; unknown before the first
	song    uint32
}

const unknown = -2

// found is what the dictionaries have for a run.
type found struct {
	knownSong
	duration int64
}

// missing are the runs of a batch whose songs must be looked up.
type missing struct {
	at    []int // places in the part's songs
	runs  []*Run
	songs []song
	codes []uint32
}

// maxPart is how many rows may be folded into a part before another is begun. Row groups of other writers can be of any size.
const maxPart = 1 << 22

// NewFolder makes a Folder into a Total. With states it makes parts of states, too.
func NewFolder(total *Total, states bool) *Folder {
	return &Folder{keys: total.keys, sem: total.sem, total: total, states: states}
}

// Begin makes room for a row group of some rows. It need not be called.
func (f *Folder) Begin(rows int64) {
	n := int(min(rows, maxPart))
	f.part.in = slices.Grow(f.part.in[:0], n)
	f.part.songs, f.part.counts = slices.Grow(f.part.songs[:0], n/8), slices.Grow(f.part.counts[:0], n/8)
}

// Fold adds a batch of a row group. The codes of the batch must be those of its dictionaries.
func (f *Folder) Fold(b *Batch) error {
	if err := f.use(b.Dict); err != nil {
		return err
	}
	p, m := &f.part, &f.missing
	m.at, m.runs, m.songs = m.at[:0], m.runs[:0], m.songs[:0]
	all := f.sem == schema.Glue
	k := len(p.songs)
	p.songs, p.counts = slices.Grow(p.songs, len(b.Runs)), slices.Grow(p.counts, len(b.Runs))
	songs, counts := p.songs[:k+len(b.Runs)], p.counts[:k+len(b.Runs)]
	f.look(b.Runs)
	primary := int64(0)
	at, from := 0, 0 // rows from from to at count in the hours, and are not in the part yet
	for i := range b.Runs {
		r := &b.Runs[i]
		n := int64(r.Rows)
		g := f.genreOf[r.Genre+1]
		g.rows += n
		if r.Duration != Null {
			g.duration.add(f.found[i].duration, n)
			g.durations += n
		}
		pop := int64(0)
		if r.Popularity != Null {
			pop = f.popularity[r.Popularity]
			g.popularity.add(pop, n)
			g.popularitys += n
		}
		if !g.top.beats(pop, r.Popularity != Null) {
			f.tryTop(g, b, r, pop)
		}
		if r.Primary {
			primary += n
		} else if !all {
			f.count(b, from, at)
			at += int(n)
			from = at
			continue
		}
		known := &f.found[i]
		songs[k], counts[k] = known.song, uint32(n)
		if known.artists != r.Artists {
			m.at, m.runs = append(m.at, k), append(m.runs, r)
			m.songs = append(m.songs, song{f.tracks[r.Track+1], f.artists[r.Artists+1]})
		}
		k++
		at += int(n)
	}
	f.count(b, from, at)
	p.songs, p.counts = songs[:k], counts[:k]
	p.rows += int64(at)
	p.primary += primary
	if err := f.findSongs(); err != nil {
		return err
	}
	if p.rows >= maxPart {
		f.encoded = f.endPart(f.encoded)
	}
	return nil
}

// look finds what has to be looked up for each run. These tables are beyond the nearest cache: in a loop that does nothing else the loads
// do not wait for each other.
func (f *Folder) look(runs []Run) {
	f.found = resize(f.found, len(runs))
	for i := range runs {
		r := &runs[i]
		f.found[i] = found{f.songs[r.Track], f.duration[r.Duration+1]}
	}
}

// count adds rows that count in the hours to the part, and marks the hours of their users.
func (f *Folder) count(b *Batch, from, to int) {
	in, users := b.Hours[from:to], b.Users[from:to]
	users = users[:len(in)]
	userHours := f.userHours
	for i, h := range in {
		userHours[users[i]] |= 1 << (h & 31)
	}
	f.part.in = append(f.part.in, in...)
	f.part.counted += int64(len(in))
}

// tryTop makes a run the top one of its genre, if it is. Texts are copied only then.
func (f *Folder) tryTop(g *genre, b *Batch, r *Run, popularity int64) {
	t := &g.top
	if t.any && t.noPopularity == (r.Popularity == Null) && t.popularity == popularity {
		order := compareValue(b.Dict.Names, r.Name, t.name)
		if order == 0 {
			order = compareValue(b.Dict.Artists, r.Artists, t.artists)
		}
		if order >= 0 {
			return
		}
	}
	*t = candidate{any: true, noPopularity: r.Popularity == Null, popularity: popularity,
		name: textOf(b.Dict.Names, r.Name), artists: textOf(b.Dict.Artists, r.Artists)}
}

// compareValue compares a value of a dictionary with a text, as compareText does.
func compareValue(d Texts, code int32, text *string) int {
	switch {
	case code == Null && text == nil:
		return 0
	case code == Null:
		return 1
	case text == nil:
		return -1
	}
	switch v := d.Text(uint32(code)); { // no copy is made for a comparison
	case string(v) == *text:
		return 0
	case string(v) < *text:
		return -1
	}
	return 1
}

func textOf(d Texts, code int32) *string {
	if code == Null {
		return nil
	}
	s := string(d.Text(uint32(code)))
	return &s
}

// findSongs looks up the missing songs.
func (f *Folder) findSongs() error {
	m := &f.missing
	if len(m.at) == 0 {
		return nil
	}
	m.codes = resize(m.codes, len(m.at))
	if err := f.keys.songs.codes(m.codes, m.songs, f.keys.tracks.size()); err != nil {
		return err
	}
	for i, at := range m.at {
		f.part.songs[at] = m.codes[i]
		f.songs[m.runs[i].Track] = knownSong{m.runs[i].Artists, m.codes[i]}
	}
	return nil
}

// use turns to the dictionaries of a batch.
func (f *Folder) use(d Dicts) (err error) {
	if d.Users != f.dict.Users {
		f.flushUsers()
		if f.users, err = f.keys.users.codes(f.users, d.Users); err != nil {
			return err
		}
		f.userHours = resize(f.userHours, len(f.users))
		clear(f.userHours)
	}
	if d.Tracks != f.dict.Tracks || d.Artists != f.dict.Artists {
		same := 0
		if d.Artists == f.dict.Artists {
			same = d.Tracks.Common(f.dict.Tracks)
		}
		if d.Tracks != f.dict.Tracks {
			if f.tracks, err = f.keys.tracks.codes(f.tracks, d.Tracks, f.dict.Tracks); err != nil {
				return err
			}
		}
		if d.Artists != f.dict.Artists {
			if f.artists, err = f.keys.artists.codes(f.artists, d.Artists, f.dict.Artists); err != nil {
				return err
			}
		}
		f.songs = slices.Grow(f.songs[:same], d.Tracks.Len()-same)[:d.Tracks.Len()]
		for i := same; i < len(f.songs); i++ {
			f.songs[i].artists = unknown
		}
	}
	if d.Genres != f.dict.Genres {
		f.genreOf = append(f.genreOf[:0], &f.genres.none)
		for i := range d.Genres.Len() {
			f.genreOf = append(f.genreOf, f.genres.of(string(d.Genres.Text(uint32(i)))))
		}
	}
	if d.Popularity != f.dict.Popularity {
		f.popularity = d.Popularity.AppendInts(f.popularity[:0])
	}
	if d.Duration != f.dict.Duration {
		f.duration = d.Duration.AppendInts(append(f.duration[:0], 0))
	}
	f.dict = d
	return nil
}

// flushUsers takes the users' hours over to the part.
func (f *Folder) flushUsers() {
	p := &f.part
	k := len(p.users)
	p.users, p.hours = slices.Grow(p.users, len(f.userHours)), slices.Grow(p.hours, len(f.userHours))
	users, hours := p.users[:k+len(f.userHours)], p.hours[:k+len(f.userHours)]
	for i, bits := range f.userHours {
		users[k], hours[k] = f.users[i], bits
		if bits != 0 {
			k++
		}
	}
	p.users, p.hours = users[:k], hours[:k]
	clear(f.userHours)
}

// End ends a row group. With states it appends those of the row group's parts to dst.
func (f *Folder) End(dst []byte) []byte {
	dst = append(dst, f.encoded...)
	f.encoded = f.encoded[:0]
	return f.endPart(dst)
}

// endPart adds the part to the Total, and appends it to dst.
func (f *Folder) endPart(dst []byte) []byte {
	f.flushUsers()
	f.sorter.sort(&f.part)
	f.total.addPart(&f.part, &f.genres)
	if f.states {
		dst = f.encoder.append(dst, &f.part, &f.genres)
	}
	f.part.reset()
	// The places of genres stay: genreOf refers to them.
	f.genres.none = genre{}
	for _, g := range f.genres.named {
		*g = genre{}
	}
	return dst
}

// resize makes s n long, whatever is in it.
func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

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
	userValues []int64
	users      []uint32    // their codes of keys plus one; 0 where that was not asked yet
	tracks     []uint32    // likewise
	artists    []uint32    // likewise
	genreOf    []*genre    // behind that of null
	songs      []knownSong // by track
	popularity []int64
	duration   []int64

	userHours []uint32 // by code of the dictionary: the hours in which the user occurs, as bits
	genres    genres   // of the row group
	part      part
	sorter    sorter
	encoder   partEncoder
	encoded   []byte // parts of the row group that did not fit into one

	missing missing
	space   []int64
}

// knownSong is the song of a track of the current dictionary that was met last.
type knownSong struct {
	artists int32 // its code plus two: 0 before the first, and Null is 1
	song    uint32
}

// missing are the runs of a batch whose songs must be looked up; and room for look-ups.
type missing struct {
	at    []int // places in the part's songs
	runs  []*Run
	songs []song

	places []uint32 // codes of a dictionary
	texts  [][]byte
	ints   []int64
	codes  []uint32
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
	m.at, m.runs = m.at[:0], m.runs[:0]
	all := f.sem == schema.Glue
	k := len(p.songs)
	p.songs, p.counts = slices.Grow(p.songs, len(b.Runs)), slices.Grow(p.counts, len(b.Runs))
	songs, counts := p.songs[:k+len(b.Runs)], p.counts[:k+len(b.Runs)]
	primary := int64(0)
	at, from := 0, 0 // rows from from to at count in the hours, and are not in the part yet
	for i := range b.Runs {
		r := &b.Runs[i]
		n := int64(r.Rows)
		g := f.genreOf[r.Genre+1]
		g.rows += n
		if r.Duration != Null {
			g.duration.add(f.duration[r.Duration], n)
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
		known := &f.songs[r.Track]
		songs[k], counts[k] = known.song, uint32(n)
		if known.artists != r.Artists+2 {
			m.at, m.runs = append(m.at, k), append(m.runs, r)
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
	if p.rows < maxPart {
		return nil
	}
	var err error
	f.encoded, err = f.endPart(f.encoded)
	return err
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

// findSongs looks up the missing songs, and the tracks and artists of them that were not looked up before: keys have only what occurs.
func (f *Folder) findSongs() error {
	m := &f.missing
	if len(m.at) == 0 {
		return nil
	}
	m.places = m.places[:0]
	for _, r := range m.runs {
		if f.tracks[r.Track] == 0 {
			m.places = append(m.places, uint32(r.Track))
		}
	}
	if err := m.lookUp(&f.keys.tracks, f.dict.Tracks, f.tracks); err != nil {
		return err
	}
	m.places = m.places[:0]
	for _, r := range m.runs {
		if r.Artists != Null && f.artists[r.Artists] == 0 {
			m.places = append(m.places, uint32(r.Artists))
		}
	}
	if err := m.lookUp(&f.keys.artists, f.dict.Artists, f.artists); err != nil {
		return err
	}
	m.songs = m.songs[:0]
	for _, r := range m.runs {
		s := song{f.tracks[r.Track] - 1, None}
		if r.Artists != Null {
			s.artists = f.artists[r.Artists] - 1
		}
		m.songs = append(m.songs, s)
	}
	m.codes = resize(m.codes, len(m.songs))
	if err := f.keys.songs.codes(m.codes, m.songs, f.keys.tracks.size()); err != nil {
		return err
	}
	for i, at := range m.at {
		f.part.songs[at] = m.codes[i]
		f.songs[m.runs[i].Track] = knownSong{m.runs[i].Artists + 2, m.codes[i]}
	}
	return nil
}

// lookUp looks up the values of a dictionary at places.
func (m *missing) lookUp(t *textTable, d Texts, codes []uint32) error {
	m.texts = m.texts[:0]
	for _, p := range m.places {
		m.texts = append(m.texts, d.Text(p))
	}
	m.codes = resize(m.codes, len(m.texts))
	if err := t.codes(m.codes, m.texts, d.Len()); err != nil {
		return err
	}
	for i, p := range m.places {
		codes[p] = m.codes[i] + 1
	}
	return nil
}

// keep makes s n long, and zero but for the first same.
func keep[T any](s []T, same, n int) []T {
	same = min(same, len(s), n)
	s = slices.Grow(s[:same], n-same)[:n]
	clear(s[same:])
	return s
}

// use turns to the dictionaries of a batch. What they have in common with those before stays.
func (f *Folder) use(d Dicts) error {
	if d.Users != f.dict.Users {
		if err := f.flushUsers(); err != nil {
			return err
		}
		f.space = d.Users.AppendInts(f.space[:0])
		same := 0
		for n := min(len(f.space), len(f.userValues)); same < n && f.space[same] == f.userValues[same]; same++ {
		}
		f.userValues, f.space = f.space, f.userValues
		f.users, f.userHours = keep(f.users, same, len(f.userValues)), keep(f.userHours, 0, len(f.userValues))
	}
	if d.Tracks != f.dict.Tracks || d.Artists != f.dict.Artists {
		tracks, artists := d.Tracks.Common(f.dict.Tracks), d.Artists.Common(f.dict.Artists)
		if d.Artists == f.dict.Artists {
			f.songs = keep(f.songs, tracks, d.Tracks.Len())
		} else {
			f.songs = keep(f.songs, 0, d.Tracks.Len())
		}
		f.tracks, f.artists = keep(f.tracks, tracks, d.Tracks.Len()), keep(f.artists, artists, d.Artists.Len())
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
		f.duration = d.Duration.AppendInts(f.duration[:0])
	}
	f.dict = d
	return nil
}

// flushUsers takes the users' hours over to the part.
func (f *Folder) flushUsers() error {
	m, p := &f.missing, &f.part
	m.places, m.ints = m.places[:0], m.ints[:0]
	for i, bits := range f.userHours {
		if bits != 0 && f.users[i] == 0 {
			m.places, m.ints = append(m.places, uint32(i)), append(m.ints, f.userValues[i])
		}
	}
	m.codes = resize(m.codes, len(m.ints))
	if err := f.keys.users.codes(m.codes, m.ints, len(f.userValues)); err != nil {
		return err
	}
	for i, at := range m.places {
		f.users[at] = m.codes[i] + 1
	}
	k := len(p.users)
	p.users, p.hours = slices.Grow(p.users, len(f.userHours)), slices.Grow(p.hours, len(f.userHours))
	users, hours := p.users[:k+len(f.userHours)], p.hours[:k+len(f.userHours)]
	for i, bits := range f.userHours {
		users[k], hours[k] = f.users[i]-1, bits
		if bits != 0 {
			k++
		}
	}
	p.users, p.hours = users[:k], hours[:k]
	clear(f.userHours)
	return nil
}

// End ends a row group. With states it appends those of the row group's parts to dst.
func (f *Folder) End(dst []byte) ([]byte, error) {
	dst = append(dst, f.encoded...)
	f.encoded = f.encoded[:0]
	return f.endPart(dst)
}

// endPart adds the part to the Total, and appends it to dst.
func (f *Folder) endPart(dst []byte) ([]byte, error) {
	if err := f.flushUsers(); err != nil {
		return nil, err
	}
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
	return dst, nil
}

// resize makes s n long, whatever is in it.
func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

package state

import (
	"mss/internal/schema"
)

// Folder folds the rows of one row group after the other into a Total and, on the way, into a part of the state of the object that the
// row group is of. It belongs to one goroutine.
type Folder struct {
	keys  *Keys
	sem   schema.Semantics
	total *Total
	part  *part // nil when no states are wanted

	// What the codes of the current dictionaries are: codes of keys, and places in genres.
	dict    Dicts
	users   []uint32
	tracks  []uint32
	artists []uint32 // behind that of null
	genreOf []*genre // likewise
	songs   []knownSong

	userHours []uint32 // by code of the dictionary: the hours in which the user occurs, as bits
	genres    genres   // of the row group

	runSongs []uint32 // by run of the batch: its song
	miss     missing
}

// knownSong is the song of a track of the current dictionary that was met last.
type knownSong struct {
	artists int32 // its code; unknown before the first
	song    uint32
}

const unknown = -2

// missing are the runs of a batch whose songs must be looked up.
type missing struct {
	runs                   []int
	tracks, artists, songs []uint32
}

// NewFolder makes a Folder into a Total. With parts it makes parts of states, too.
func NewFolder(total *Total, parts bool) *Folder {
	f := &Folder{keys: total.keys, sem: total.sem, total: total}
	if parts {
		f.part = &part{}
	}
	return f
}

// Total is what was folded. The row group must be ended.
func (f *Folder) Total() *Total { return f.total }

// Fold adds a batch of a row group. The codes of the batch must be those of its dictionaries.
func (f *Folder) Fold(b *Batch) error {
	if err := f.use(b.Dict); err != nil {
		return err
	}
	rows := int64(len(b.Hours))
	if err := f.findSongs(b.Runs); err != nil {
		return err
	}
	f.total.begin(rows)
	t := f.total
	popularity, duration := b.Dict.Popularity, b.Dict.Duration
	primary, counted := int64(0), int64(0)
	at := 0
	for i := range b.Runs {
		r := &b.Runs[i]
		n := int64(r.Rows)
		to := at + int(r.Rows)
		g := f.genreOf[r.Genre+1]
		g.rows += n
		if r.Duration != Null {
			g.duration.add(duration.Int(uint32(r.Duration)), n)
			g.durations += n
		}
		pop := int64(0)
		if r.Popularity != Null {
			pop = popularity.Int(uint32(r.Popularity))
			g.popularity.add(pop, n)
			g.popularitys += n
		}
		if !g.top.beats(pop, r.Popularity != Null) {
			f.tryTop(g, b, r, pop)
		}
		if r.Primary {
			primary += n
		}
		if r.Primary || f.sem == schema.Glue {
			song := f.runSongs[i]
			countRun(&t.songs[song], f.userHours, b.Users[at:to], b.Hours[at:to])
			counted += n
			if f.part != nil {
				f.part.count(song, b.Hours[at:to])
			}
		}
		at = to
	}
	t.tally.add(tally{rows, primary, counted})
	if f.part != nil {
		f.part.tally.add(tally{rows, primary, counted})
	}
	return nil
}

// countRun counts the rows of a run by the hour, and marks the hours of their users.
func countRun(counts *[hours]uint32, userHours []uint32, users []int32, in []uint8) {
	users = users[:len(in)]
	for i, h := range in {
		userHours[users[i]] |= 1 << (h & 31)
		counts[h]++
	}
}

// tryTop makes a run the top one of its genre, if it is. Texts are copied only then.
func (f *Folder) tryTop(g *genre, b *Batch, r *Run, popularity int64) {
	c := candidate{any: true, noPopularity: r.Popularity == Null, popularity: popularity,
		name: textOf(b.Dict.Names, r.Name), artists: textOf(b.Dict.Artists, r.Artists)}
	if c.before(&g.top) {
		g.top = c
	}
}

func textOf(d Texts, code int32) *string {
	if code == Null {
		return nil
	}
	s := string(d.Text(uint32(code)))
	return &s
}

// findSongs finds the songs of the runs that count.
func (f *Folder) findSongs(runs []Run) error {
	m := &f.miss
	m.runs, m.tracks, m.artists = m.runs[:0], m.tracks[:0], m.artists[:0]
	f.runSongs = fit(f.runSongs[:0], len(runs))
	for i := range runs {
		r := &runs[i]
		if k := &f.songs[r.Track]; k.artists == r.Artists {
			f.runSongs[i] = k.song
		} else if r.Primary || f.sem == schema.Glue {
			m.runs = append(m.runs, i)
			m.tracks = append(m.tracks, f.tracks[r.Track+1])
			m.artists = append(m.artists, f.artists[r.Artists+1])
		}
	}
	if len(m.runs) == 0 {
		return nil
	}
	m.songs = fit(m.songs[:0], len(m.runs))
	if err := f.keys.songs.codes(m.songs, m.tracks, m.artists); err != nil {
		return err
	}
	for k, i := range m.runs {
		f.runSongs[i] = m.songs[k]
		f.songs[runs[i].Track] = knownSong{runs[i].Artists, m.songs[k]}
	}
	return nil
}

// use turns to the dictionaries of a batch.
func (f *Folder) use(d Dicts) (err error) {
	if d.Users != f.dict.Users {
		f.flushUsers()
		if f.users, err = f.keys.users.codes(d.Users); err != nil {
			return err
		}
		f.userHours = fit(f.userHours[:0], len(f.users))
	}
	if d.Tracks != f.dict.Tracks || d.Artists != f.dict.Artists {
		if d.Tracks != f.dict.Tracks {
			if f.tracks, err = f.keys.tracks.codes(d.Tracks); err != nil {
				return err
			}
		}
		if d.Artists != f.dict.Artists {
			if f.artists, err = f.keys.artists.codes(d.Artists); err != nil {
				return err
			}
		}
		f.songs = fit(f.songs[:0], d.Tracks.Len())
		for i := range f.songs {
			f.songs[i].artists = unknown
		}
	}
	if d.Genres != f.dict.Genres {
		f.genreOf = append(f.genreOf[:0], &f.genres.none)
		for i := range d.Genres.Len() {
			f.genreOf = append(f.genreOf, f.genres.of(string(d.Genres.Text(uint32(i)))))
		}
	}
	f.dict = d
	return nil
}

// flushUsers takes the users' hours over to the codes of keys.
func (f *Folder) flushUsers() {
	t := f.total
	t.users = fit(t.users, f.keys.users.size())
	for i, bits := range f.userHours {
		if bits == 0 {
			continue
		}
		t.users[f.users[i]] |= bits
		if f.part != nil {
			f.part.addUser(f.users[i], bits)
		}
		f.userHours[i] = 0
	}
}

// End ends a row group. With parts it appends the row group's to dst.
func (f *Folder) End(dst []byte) []byte {
	f.flushUsers()
	f.total.genres.merge(&f.genres)
	if f.part != nil {
		dst = f.part.encode(dst, &f.genres)
		f.part.reset()
	}
	// The places of genres stay: genreOf refers to them.
	f.genres.none = genre{}
	for _, g := range f.genres.named {
		*g = genre{}
	}
	return dst
}

package integrate

import (
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// Columns of schema.Transformed.
const (
	colUser = iota
	colTrack
	colTime
	colArtists
	colName
	colPopularity
	colDuration
	colGenre
	colCreated
	colPrimary
)

// encoder makes a row group of a chunk's plays.
//
// The rows are clustered: by genre, then track, then the order of the input. A counting sort brings the plays of each track together; a
// song's rows are then a copy of its track's plays. So each song column changes once per song instead of
// once per row, and packs into runs; and the pages of a genre lie together, where a reader can skip the others.
type encoder struct {
	dim   *Dimension
	next  []uint32 // by track: where its next play goes; at the end where the following track's begin
	plays []uint64 // sorted by track: user row << 32 | time code
	runs  []run
	part  []run                      // the runs of a page
	rows  []uint64                   // the plays of a page, with those of a song once for each of its rows
	page  [parquetio.PageRows]uint32 // codes of a page
	aux   [parquetio.PageRows]uint32
	ints  []int64
	codes []parquetio.CodeRun
	times timeCodes

	song [6]songColumn // track, artists, name, popularity, duration, genre
	// The user columns' dictionaries: whole, or the subset that the chunk uses.
	users, created subset
}

// run is a stretch of rows of one song.
type run struct {
	row      uint32 // of songs.parquet; or, behind its rows, the number of an unknown track
	from, to uint32 // in plays
}

// songColumn is a column that depends on the song alone.
type songColumn struct {
	col int
	of  *column
	subset
}

// subset is a dictionary cut down to the codes that a chunk uses.
type subset struct {
	whole *parquetio.Dict
	dict  *parquetio.Dict
	used  []bool
	remap []uint32 // nil when the whole dictionary is written
	space []uint32
}

func (s *subset) init(whole *parquetio.Dict) {
	s.whole, s.dict = whole, parquetio.NewDict(schema.String)
}

// begin chooses between the whole dictionary and a subset, whose codes are then to be marked.
func (s *subset) begin(whole bool) {
	s.remap = nil
	if whole {
		return
	}
	if s.used == nil {
		s.used, s.space = make([]bool, s.whole.Len()), make([]uint32, s.whole.Len())
	}
	clear(s.used)
	s.remap = s.space
}

func (s *subset) mark(code uint32) {
	if code != none {
		s.used[code] = true
	}
}

// finish gives the dictionary to write.
func (s *subset) finish() *parquetio.Dict {
	if s.remap == nil {
		return s.whole
	}
	s.whole.Subset(s.dict, s.used, s.remap)
	return s.dict
}

// code is the written code of a code of the whole dictionary, which may be none, or one of the extension.
func (s *subset) code(code uint32) uint32 {
	switch {
	case s.remap == nil || code == none:
		return code
	case int(code) >= s.whole.Len():
		return code - uint32(s.whole.Len()) + uint32(s.dict.Len())
	}
	return s.remap[code]
}

func (e *encoder) init(dim *Dimension) {
	e.dim = dim
	e.song = [...]songColumn{{col: colTrack, of: &dim.track}, {col: colArtists, of: &dim.artists}, {col: colName, of: &dim.name},
		{col: colPopularity, of: &dim.popularity}, {col: colDuration, of: &dim.duration}, {col: colGenre, of: &dim.genre}}
	for i := range e.song {
		e.song[i].init(e.song[i].of.Dict)
	}
	e.users.init(dim.user.Dict)
	e.created.init(dim.created.Dict)
}

// encode fills res.group.
func (e *encoder) encode(w *worker, res *result) {
	e.cluster(w)
	res.first, res.last = e.times.first, e.times.last
	rows := 0
	for _, r := range e.runs {
		rows += int(r.to - r.from)
	}
	res.rows = int64(rows)
	g := res.group
	g.Reset(rows)
	e.dictionaries(g, w)
	first, within := 0, uint32(0) // the run, and the rows of it, that the pages before took
	for at := 0; at < rows; at += parquetio.PageRows {
		n := min(parquetio.PageRows, rows-at)
		var part []run
		part, first, within = e.cut(first, within, n)
		e.songPages(g, part)
		rows := e.gather(part)
		e.userPages(g, rows)
		e.timePage(g, rows)
		res.primary += e.primaryPage(g, part)
	}
}

// cluster sorts the plays by track, and lists the runs of rows in the order of the output.
func (e *encoder) cluster(w *worker) {
	d := e.dim
	tracks := d.track.Dict.Len() + len(w.newTracks.codes)
	if cap(e.next) < tracks+1 {
		e.next = make([]uint32, tracks+1, tracks+tracks/8+1)
	}
	next := e.next[:tracks+1]
	clear(next)
	for _, t := range w.track {
		next[t]++
	}
	sum := uint32(0)
	for t, n := range next {
		next[t] = sum
		sum += n
	}
	if cap(e.plays) < len(w.track) {
		e.plays = make([]uint64, len(w.track), len(w.track)+len(w.track)/8)
	}
	plays := e.plays[:len(w.track)]
	e.times.begin(w.time)
	for i, t := range w.track {
		plays[next[t]] = uint64(w.user[i])<<32 | uint64(e.times.payload(i))
		next[t]++
	}
	e.plays, e.next = plays, next

	// next[t] is now the end of track t's plays, and so the beginning of the following track's.
	begin := func(t uint32) uint32 {
		if t == 0 {
			return 0
		}
		return next[t-1]
	}
	e.runs = e.runs[:0]
	for _, row := range d.byGenre {
		t := d.track.Codes[row]
		if from, to := begin(t), next[t]; from < to {
			e.runs = append(e.runs, run{row, from, to})
		}
	}
	for t := uint32(d.track.Dict.Len()); t < uint32(tracks); t++ {
		e.runs = append(e.runs, run{uint32(len(d.track.Codes)) + t - uint32(d.track.Dict.Len()), begin(t), next[t]})
	}
}

// dictionaries writes the dictionary pages. A chunk that uses half of the songs or more takes the whole dictionaries, which were
// compressed once for the whole run; a small one takes what it uses.
func (e *encoder) dictionaries(g *parquetio.Group, w *worker) {
	songs := uint32(len(e.dim.track.Codes))
	whole := len(e.runs) >= int(songs)/2
	if whole {
		e.dim.compressSongs()
	}
	for i := range e.song {
		s := &e.song[i]
		s.begin(whole)
		if !whole {
			for _, r := range e.runs {
				if r.row < songs {
					s.mark(s.of.Codes[r.row])
				}
			}
		}
		var ext *parquetio.Dict
		if s.col == colTrack {
			ext = w.newTracks.dict
		}
		g.Dictionary(s.col, s.finish(), ext)
	}
	d := e.dim
	users := uint32(len(d.user.Codes))
	whole = len(w.user) >= int(users)/2
	if whole {
		e.dim.compressUsers()
	}
	e.users.begin(whole)
	e.created.begin(whole)
	if !whole {
		for _, u := range w.user {
			if u < users {
				e.users.mark(d.user.Codes[u])
				e.created.mark(d.created.Codes[u])
			}
		}
	}
	g.Dictionary(colUser, e.users.finish(), w.newUsers.dict)
	g.Dictionary(colCreated, e.created.finish(), nil)
	e.times.finish(e.plays)
	if e.times.coded {
		g.Dictionary(colTime, e.times.dict, nil)
	}
}

// cut takes n rows from the runs, beginning within rows into run first. The part is valid until the next call.
func (e *encoder) cut(first int, within uint32, n int) (part []run, nextFirst int, nextWithin uint32) {
	i := first
	e.part = e.part[:0]
	for n > 0 {
		r := e.runs[i]
		r.from += within
		if left := int(r.to - r.from); left > n {
			r.to = r.from + uint32(n)
			e.part = append(e.part, r)
			return e.part, i, within + uint32(n)
		}
		e.part = append(e.part, r)
		n -= int(r.to - r.from)
		i, within = i+1, 0
	}
	return e.part, i, within
}

func (e *encoder) songPages(g *parquetio.Group, part []run) {
	songs := uint32(len(e.dim.track.Codes))
	for i := range e.song {
		s := &e.song[i]
		// Equal neighbours become one run: the songs of a genre, say.
		runs := e.codes[:0]
		for _, r := range part {
			code := none
			switch {
			case r.row < songs:
				code = s.of.Codes[r.row]
			case s.col == colTrack:
				code = uint32(s.whole.Len()) + r.row - songs
			}
			if s.remap != nil {
				code = s.code(code)
			}
			if n := len(runs); n > 0 && runs[n-1].Code == code {
				runs[n-1].N += int(r.to - r.from)
			} else {
				runs = append(runs, parquetio.CodeRun{Code: code, N: int(r.to - r.from)})
			}
		}
		e.codes = runs
		g.RunPage(s.col, runs)
	}
}

// gather brings the plays of a page together.
func (e *encoder) gather(part []run) []uint64 {
	e.rows = e.rows[:0]
	for _, r := range part {
		e.rows = append(e.rows, e.plays[r.from:r.to]...)
	}
	return e.rows
}

func (e *encoder) userPages(g *parquetio.Group, rows []uint64) {
	d := e.dim
	known := uint32(len(d.user.Codes))
	users, createds := e.page[:len(rows)], e.aux[:len(rows)]
	nulls := 0
	for i, p := range rows {
		row := uint32(p >> 32)
		user, created := row, none
		if row < known {
			created = d.created.Codes[row]
			if d.manyUsers {
				user = d.user.Codes[row]
			}
		} else {
			user = row - known + uint32(e.users.whole.Len())
		}
		if created == none {
			nulls++
		}
		users[i], createds[i] = user, created
	}
	if e.users.remap != nil {
		for i := range users {
			users[i], createds[i] = e.users.code(users[i]), e.created.code(createds[i])
		}
	}
	g.CodePage(colUser, users, 0)
	g.CodePage(colCreated, createds, nulls)
}

func (e *encoder) timePage(g *parquetio.Group, rows []uint64) {
	if e.times.coded {
		codes := e.page[:len(rows)]
		e.times.codes(codes, rows)
		g.CodePage(colTime, codes, 0)
		return
	}
	e.ints = e.ints[:0]
	for _, p := range rows {
		e.ints = append(e.ints, e.times.value(uint32(p)))
	}
	g.IntPage(colTime, e.ints)
}

// primaryPage writes is_primary, and counts the rows that have it.
func (e *encoder) primaryPage(g *parquetio.Group, part []run) (primary int64) {
	d := e.dim
	songs, users := uint32(len(d.track.Codes)), uint32(len(d.user.Codes))
	e.codes = e.codes[:0]
	for _, r := range part {
		p := uint32(1)
		if r.row < songs {
			p = d.primary[r.row]
		}
		if p == 0 || !d.manyUsers {
			e.codes = append(e.codes, parquetio.CodeRun{Code: p, N: int(r.to - r.from)})
			primary += int64(p) * int64(r.to-r.from)
			continue
		}
		// Of the rows that a play has for its user, the first is primary.
		for _, play := range e.plays[r.from:r.to] {
			row := uint32(play >> 32)
			p := uint32(1)
			if row < users && d.firstUser[d.user.Codes[row]] != row {
				p = 0
			}
			e.codes = append(e.codes, parquetio.CodeRun{Code: p, N: 1})
			primary += int64(p)
		}
	}
	g.BoolPage(colPrimary, e.codes)
	return primary
}

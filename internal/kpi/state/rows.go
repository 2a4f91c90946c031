package state

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"mss/internal/schema"
)

// Result is what comes out of a Total.
type Result struct {
	Rows         []schema.KPI // the genres by their bytes, NULL last, then the hours
	Hourly       int64        // rows that were counted in the hours: as many as Counted, if all is well
	Users, Songs int          // how many keys occur; Keys may hold more, of objects that are gone
}

// Result computes it. Encode may be at work at the same time.
func (t *Total) Result() Result {
	var out []schema.KPI
	for name, g := range t.genres.named {
		if g.rows > 0 {
			out = append(out, g.row(&name))
		}
	}
	slices.SortFunc(out, func(a, b schema.KPI) int { return strings.Compare(*a.GroupBy, *b.GroupBy) })
	if t.genres.none.rows > 0 {
		r := t.genres.none.row(nil)
		if t.sem == schema.Glue {
			// Glue joined the top row by the genre, and NULL joins nothing.
			r.TopTrack, r.TopArtist = nil, nil
		}
		out = append(out, r)
	}
	h := t.hourly()
	for i := range hours {
		if h.rows[i] == 0 {
			continue
		}
		name := strconv.Itoa(i)
		diversity := float64(h.tracks[i]) / float64(h.rows[i])
		out = append(out, schema.KPI{Type: schema.Hourly, GroupBy: &name, ListenCount: h.users[i], AvgDuration: &diversity, TopArtist: h.top[i]})
	}
	res := Result{Rows: out, Songs: h.songs}
	for _, n := range h.rows {
		res.Hourly += n
	}
	for _, bits := range t.users {
		if bits != 0 {
			res.Users++
		}
	}
	return res
}

func (g *genre) row(name *string) schema.KPI {
	return schema.KPI{Type: schema.Genre, GroupBy: name, ListenCount: g.rows, AvgDuration: g.duration.mean(g.durations),
		Popularity: g.popularity.mean(g.popularitys), TopTrack: g.top.name, TopArtist: g.top.artists}
}

// hourly are the figures of the hours.
type hourly struct {
	rows, users, tracks [hours]int64
	top                 [hours]*string
	songs               int // that occur
}

func (t *Total) hourly() (out hourly) {
	trackHours := make([]uint32, t.keys.tracks.size())
	var best [hours]uint32 // codes of artists
	var most, none [hours]int64
	artists := t.byArtists()
	var counts [hours]uint64
	for a := range artists.from {
		var sum [hours]int64
		for _, song := range artists.songs(a) {
			mask := t.countsOf(song, &counts)
			if mask == 0 {
				continue
			}
			out.songs++
			trackHours[t.keys.songs.songs[song].track] |= mask
			for h, n := range counts {
				sum[h] += int64(n)
			}
		}
		for h, n := range sum {
			out.rows[h] += n
			if n < most[h] || n == 0 {
				continue
			}
			if a == artists.none {
				none[h] = n
			} else if n > most[h] || bytes.Compare(t.keys.artists.text(uint32(a)), t.keys.artists.text(best[h])) < 0 {
				most[h], best[h] = n, uint32(a)
			}
		}
	}
	for h, n := range most {
		// Rows without artists win under glue semantics only, and only alone.
		if n > 0 && !(t.sem == schema.Glue && none[h] > n) {
			name := string(t.keys.artists.text(best[h]))
			out.top[h] = &name
		}
	}
	out.users, out.tracks = countBits(t.users), countBits(trackHours)
	return out
}

// artistSongs are the songs of each artists text.
type artistSongs struct {
	none  int      // the place of those that have no artists text, behind all codes
	from  []uint32 // by code: where its songs begin in order
	order []uint32
}

func (s *artistSongs) songs(artists int) []uint32 {
	to := len(s.order)
	if artists+1 < len(s.from) {
		to = int(s.from[artists+1])
	}
	return s.order[s.from[artists]:to]
}

// byArtists sorts the songs by their artists, by counting.
func (t *Total) byArtists() artistSongs {
	n := t.keys.artists.size()
	s := artistSongs{none: n, from: make([]uint32, n+1), order: make([]uint32, max(len(t.songs), len(t.wide)))}
	songs := t.keys.songs.songs[:len(s.order)]
	place := func(song song) int {
		if song.artists == None {
			return n
		}
		return int(song.artists)
	}
	for _, song := range songs {
		s.from[place(song)]++
	}
	at := uint32(0)
	for a, n := range s.from {
		s.from[a] = at
		at += n
	}
	next := slices.Clone(s.from)
	for code, song := range songs {
		a := place(song)
		s.order[next[a]] = uint32(code)
		next[a]++
	}
	return s
}

// countBits tells for each hour how many of the sets have it.
func countBits(sets []uint32) (n [hours]int64) {
	// Eight counters of eight bits in a word: of each of the three bytes of a set the bits go to a word.
	var spread [256]uint64
	for b := range spread {
		for i := range 8 {
			spread[b] |= uint64(b>>i&1) << (8 * i)
		}
	}
	for len(sets) > 0 {
		part := sets[:min(255, len(sets))]
		sets = sets[len(part):]
		var words [3]uint64
		for _, bits := range part {
			words[0] += spread[uint8(bits)]
			words[1] += spread[uint8(bits>>8)]
			words[2] += spread[uint8(bits>>16)]
		}
		for h := range n {
			n[h] += int64(words[h/8] >> (8 * (h % 8)) & 255)
		}
	}
	return n
}

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

// hoursAtATime is how many hours are summed up in one pass over the songs: so few that the sums of all artists stay in a near cache.
const hoursAtATime = 4

func (t *Total) hourly() (out hourly) {
	songs := t.keys.songs.songs
	trackHours := make([]uint32, t.keys.tracks.size())
	for code := range t.songs {
		if mask := t.hoursOf(uint32(code)); mask != 0 {
			out.songs++
			trackHours[songs[code].track] |= mask
		}
	}
	out.users, out.tracks = countBits(t.users), countBits(trackHours)

	artists := t.keys.artists.size()
	sums := make([][hoursAtATime]int64, artists+1) // the last one is of the rows that have no artists
	for first := 0; first < hours; first += hoursAtATime {
		clear(sums)
		for code := range t.songs {
			sum, n := &sums[min(songs[code].artists, uint32(artists))], (*[hoursAtATime]uint16)(t.songs[code][first:])
			for i := range sum {
				sum[i] += int64(n[i])
			}
		}
		for code, w := range t.wide {
			sum := &sums[min(songs[code].artists, uint32(artists))]
			for i, n := range w[first : first+hoursAtATime] {
				sum[i] += int64(n)
			}
		}
		t.topArtists(&out, first, sums)
	}
	return out
}

// topArtists finds for some hours the artists text with most rows, of several the smallest. Rows without one win under glue
// semantics only, and only alone.
func (t *Total) topArtists(out *hourly, first int, sums [][hoursAtATime]int64) {
	none := len(sums) - 1
	var best [hoursAtATime]uint32
	var most [hoursAtATime]int64
	for a := range sums[:none] {
		for i, n := range sums[a] {
			out.rows[first+i] += n
			if n > most[i] || n == most[i] && n > 0 && bytes.Compare(t.keys.artists.text(uint32(a)), t.keys.artists.text(best[i])) < 0 {
				most[i], best[i] = n, uint32(a)
			}
		}
	}
	for i, n := range most {
		out.rows[first+i] += sums[none][i]
		if n > 0 && !(t.sem == schema.Glue && sums[none][i] > n) {
			name := string(t.keys.artists.text(best[i]))
			out.top[first+i] = &name
		}
	}
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

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
	Rows          []schema.KPI // the genres by their bytes, NULL last, then the hours
	Hourly        int64        // rows that were counted in the hours: as many as Counted, if all is well
	Users, Tracks int          // how many keys occur; Keys may hold more, of objects that are gone
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
	res := Result{Rows: out, Users: used(t.users), Tracks: used(t.tracks)}
	for _, n := range h.rows {
		res.Hourly += n
	}
	return res
}

// used counts the sets that are not empty.
func used(sets []uint32) (n int) {
	for _, bits := range sets {
		if bits != 0 {
			n++
		}
	}
	return n
}

func (g *genre) row(name *string) schema.KPI {
	return schema.KPI{Type: schema.Genre, GroupBy: name, ListenCount: g.rows, AvgDuration: g.duration.mean(g.durations),
		Popularity: g.popularity.mean(g.popularitys), TopTrack: g.top.name, TopArtist: g.top.artists}
}

// hourly are the figures of the hours.
type hourly struct {
	rows, users, tracks [hours]int64
	top                 [hours]*string
}

func (t *Total) hourly() hourly {
	out := hourly{users: countBits(t.users), tracks: countBits(t.tracks)}
	var best [hours]uint32 // codes plus one
	var most, none, counts [hours]int64
	for at := range t.artists {
		t.countsOf(uint32(at), &counts)
		for h, n := range counts {
			out.rows[h] += n
			switch {
			case n == 0 || n < most[h]:
			case at == 0:
				none[h] = n
			case n > most[h] || t.smaller(uint32(at), best[h]):
				most[h], best[h] = n, uint32(at)
			}
		}
	}
	for h, n := range most {
		// Rows without artists win under glue semantics only, and only alone.
		if n > 0 && !(t.sem == schema.Glue && none[h] > n) {
			name := string(t.keys.artists.text(best[h] - 1))
			out.top[h] = &name
		}
	}
	return out
}

// smaller compares the texts of artists, by codes plus one.
func (t *Total) smaller(a, b uint32) bool {
	return bytes.Compare(t.keys.artists.text(a-1), t.keys.artists.text(b-1)) < 0
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

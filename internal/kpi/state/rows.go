package state

import (
	"slices"
	"strconv"
	"strings"

	"mss/internal/schema"
)

// Rows are the KPI rows: the genres by their bytes, NULL last, then the hours.
func (t *Total) Rows() []schema.KPI {
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
	users := countBits(t.users)
	tracks := countBits(t.trackHours())
	byArtists, noArtists := t.artistRows()
	for h := range hours {
		rows := noArtists[h]
		for i := range byArtists {
			rows += byArtists[i][h]
		}
		if rows == 0 {
			continue
		}
		name := strconv.Itoa(h)
		diversity := float64(tracks[h]) / float64(rows)
		out = append(out, schema.KPI{Type: schema.Hourly, GroupBy: &name, ListenCount: users[h], AvgDuration: &diversity,
			TopArtist: t.topArtist(h, byArtists, noArtists[h])})
	}
	return out
}

func (g *genre) row(name *string) schema.KPI {
	return schema.KPI{Type: schema.Genre, GroupBy: name, ListenCount: g.rows, AvgDuration: g.duration.mean(g.durations),
		Popularity: g.popularity.mean(g.popularitys), TopTrack: g.top.name, TopArtist: g.top.artists}
}

// trackHours gives for each track the hours in which it occurs, as bits.
func (t *Total) trackHours() []uint32 {
	bits := make([]uint32, t.keys.tracks.size())
	for code := range max(len(t.songs), len(t.wide)) {
		track := t.keys.songs.songs[code].track
		for h := range hours {
			if t.count(uint32(code), h) > 0 {
				bits[track] |= 1 << h
			}
		}
	}
	return bits
}

// artistRows counts the rows of each hour by the code of artists, and those that have none.
func (t *Total) artistRows() (by [][hours]int64, none [hours]int64) {
	by = make([][hours]int64, t.keys.artists.size())
	for code := range max(len(t.songs), len(t.wide)) {
		n := &none
		if a := t.keys.songs.songs[code].artists; a != None {
			n = &by[a]
		}
		for h := range n {
			n[h] += t.count(uint32(code), h)
		}
	}
	return by, none
}

// topArtist is the artists text with most plays in an hour, of several the smallest. Rows without one win under glue semantics
// only, and only alone.
func (t *Total) topArtist(h int, by [][hours]int64, none int64) *string {
	best, most := None, int64(0)
	for code := range by {
		n := by[code][h]
		if n > most || n == most && n > 0 && string(t.keys.artists.text(uint32(code))) < string(t.keys.artists.text(best)) {
			best, most = uint32(code), n
		}
	}
	if best == None || t.sem == schema.Glue && none > most {
		return nil
	}
	name := string(t.keys.artists.text(best))
	return &name
}

// countBits tells for each hour how many of the sets have it.
func countBits(sets []uint32) (n [hours]int64) {
	for _, bits := range sets {
		for h := range n {
			n[h] += int64(bits >> h & 1)
		}
	}
	return n
}

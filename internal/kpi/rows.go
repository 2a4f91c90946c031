package kpi

import (
	"slices"
	"strconv"
	"strings"

	"mss/internal/schema"
)

// Rows are the KPI rows: the genres by their bytes, NULL last, then the hours.
func (s *State) Rows() []schema.KPI {
	var out []schema.KPI
	for code := range s.genre {
		if g := &s.genre[code]; g.rows > 0 {
			out = append(out, g.row(&s.t.genres.values[code]))
		}
	}
	slices.SortFunc(out, func(a, b schema.KPI) int { return strings.Compare(*a.GroupBy, *b.GroupBy) })
	if s.noGenre.rows > 0 {
		r := s.noGenre.row(nil)
		if s.sem == schema.Glue {
			// Glue joined the top row by the genre, and NULL joins nothing.
			r.TopTrack, r.TopArtist = nil, nil
		}
		out = append(out, r)
	}
	s.flush()
	users, tracks, plays := s.users.count(), s.tracks.count(), s.hourlyPlays()
	for h := range hours {
		if plays[h] == 0 {
			continue
		}
		name := strconv.Itoa(h)
		diversity := float64(tracks[h]) / float64(plays[h])
		out = append(out, schema.KPI{Type: schema.Hourly, GroupBy: &name, ListenCount: users[h], AvgDuration: &diversity,
			TopArtist: s.topArtist(h)})
	}
	return out
}

func (g *genreState) row(genre *string) schema.KPI {
	return schema.KPI{Type: schema.Genre, GroupBy: genre, ListenCount: g.rows, AvgDuration: g.duration.mean(g.durations),
		Popularity: g.popularity.mean(g.popularitys), TopTrack: g.top.name, TopArtist: g.top.artists}
}

// topArtist is the artists text with most plays in an hour, of several the smallest. Rows without one win under glue semantics
// only, and only alone.
func (s *State) topArtist(h int) *string {
	var best *string
	most := int64(0)
	for code := range s.artistPlays {
		n := s.artistPlays[code][h]
		if n > most || n == most && n > 0 && s.t.artists.values[code] < *best {
			most, best = n, &s.t.artists.values[code]
		}
	}
	if s.sem == schema.Glue && s.noArtists[h] > most {
		return nil
	}
	return best
}

// hourlyPlays counts the rows of each hour.
func (s *State) hourlyPlays() (n [hours]int64) {
	s.flushPlays()
	n = s.noArtists
	for code := range s.artistPlays {
		for h, k := range s.artistPlays[code] {
			n[h] += k
		}
	}
	return n
}

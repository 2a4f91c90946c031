package kpitest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Clustered makes rows as mss writes them: by genre, then track. There are plays plays of up to 90,000 tracks, few of which are played
// often, by 50,000 users on 3 days; a quarter more rows are of second genres. A play's time is a whole second.
func Clustered(r *rand.Rand, plays int) []Row {
	const tracks, users, genres, days = 90_000, 50_000, 114, 3
	type song struct {
		genre, track int
		primary      bool
	}
	var songs []song
	for t := range tracks {
		g := r.IntN(genres)
		songs = append(songs, song{g, t, true})
		if r.IntN(4) == 0 {
			songs = append(songs, song{(g + 1 + r.IntN(genres-1)) % genres, t, false})
		}
	}
	// Song k is played about 1/(k+100) as often as the first.
	counts := make([]int, tracks)
	shuffled := r.Perm(tracks)
	for range plays {
		k := int(100*math.Pow(float64(tracks+100)/100, r.Float64())) - 100
		counts[shuffled[min(k, tracks-1)]]++
	}
	slices.SortFunc(songs, func(a, b song) int {
		if a.genre != b.genre {
			return a.genre - b.genre
		}
		return a.track - b.track
	})
	text := func(format string, i int) *string {
		s := fmt.Sprintf(format, i)
		return &s
	}
	num := func(v int64) *int64 { return &v }
	var rows []Row
	for _, s := range songs {
		row := Row{Track: fmt.Sprintf("%022x", uint64(s.track)*0x9E3779B97F4A7C15), Artists: text("artists number %d", s.track/3), Name: text("the name of track %d", s.track),
			Genre: text("genre %d", s.genre), Popularity: num(int64(s.track * 7 % 101)), Duration: num(int64(120000 + s.track*37%240000)), Primary: s.primary}
		for range counts[s.track] {
			row.User = int64(1 + r.IntN(users))
			row.Time = 1717200000e6 + r.Int64N(days*86400)*1e6
			rows = append(rows, row)
		}
	}
	return rows
}

package demodata

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

const songsKey = "metadata/songs.csv"

// songsHeader has the columns of the public track set; mss reads six of them.
const songsHeader = "id,track_id,artists,album_name,track_name,popularity,duration_ms,explicit,danceability,energy,key," +
	"loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,time_signature,track_genre"

// Of the tracks, one in severalGenres stands under more than one; of the rows, one in repeatedRow comes again as it
// is, and one in conflictingRow with another popularity or duration.
const (
	severalGenres  = 5
	repeatedRow    = 250
	conflictingRow = 2000
)

type song struct {
	id                   []byte
	artists, album, name string
	popularity, duration int
	features             string // the columns that mss ignores, explicit to time_signature
}

func (w *world) writeSongs(ctx context.Context, out *lines) error {
	r := w.opt.rand(seedSongs)
	artists := makeArtists(r, max(20, w.opt.Tracks/4))
	draw := drawTable(len(genres), 0.5, 2)
	order := r.Perm(len(genres))
	genre := func() int { return order[draw[r.IntN(tableSize)]] }

	out.line = append(out.line, songsHeader...)
	if err := out.end(); err != nil {
		return err
	}
	rows := 0
	row := func(s song, genre string) error {
		out.line = fmt.Appendf(out.line, "%d,%s,", rows, s.id)
		for _, text := range []string{s.artists, s.album, s.name} {
			out.line = append(appendField(out.line, text), ',')
		}
		out.line = fmt.Appendf(out.line, "%d,%d,%s,%s", s.popularity, s.duration, s.features, genre)
		rows++
		return out.end()
	}
	for rank := range w.opt.Tracks {
		if rank%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		s := w.makeSong(r, rank, artists)
		of := []int{genre()}
		if rank%severalGenres == 0 {
			for range 1 + r.IntN(3) {
				if g := genre(); !slices.Contains(of, g) {
					of = append(of, g)
				}
			}
		}
		for _, g := range of {
			if err := row(s, genres[g]); err != nil {
				return err
			}
		}
		if err := w.blemish(s, genres[of[0]], rank, row, out); err != nil {
			return err
		}
	}
	return nil
}

// blemish adds the rows that real metadata has and should not: repetitions, contradictions, broken rows.
func (w *world) blemish(s song, genre string, rank int, row func(song, string) error, out *lines) error {
	switch {
	case rank%repeatedRow == 40:
		return row(s, genre)
	case rank%conflictingRow == 90:
		s.popularity = max(0, s.popularity-3)
		return row(s, genre)
	case rank%conflictingRow == 91:
		s.duration += 1000
		return row(s, genre)
	case rank%(3*brokenRow) == 450:
		s.id = nil
		return row(s, genre)
	case rank%(3*brokenRow) == 450+brokenRow:
		out.line = fmt.Appendf(out.line, "x,%s,cut short", s.id)
		return out.end()
	case rank%(3*brokenRow) == 450+2*brokenRow:
		return row(s, genre+",one field too many")
	}
	return nil
}

func (w *world) makeSong(r *rand.Rand, rank int, artists []string) song {
	s := song{id: w.trackIDs[rank][:], name: makeTitle(r)}
	// The square of a uniform number favours the first artists: some are on many tracks, most on few.
	some := func() string { u := r.Float64(); return artists[int(u*u*float64(len(artists)))] }
	s.artists = some()
	for range [10]int{6: 1, 7: 1, 8: 1, 9: 2}[r.IntN(10)] {
		if guest := some(); !strings.Contains(s.artists, guest) {
			s.artists += ";" + guest
		}
	}
	s.album = s.name
	if r.IntN(3) > 0 {
		s.album = makeTitle(r)
	}
	if rank == w.opt.Tracks/2 {
		s.artists, s.album, s.name = "", "", "" // the public set has one such track
	}
	// What is played most is what is most popular, more or less.
	fame := 1 - math.Log1p(float64(rank))/math.Log1p(float64(w.opt.Tracks))
	s.popularity = min(max(int(12+80*fame+7*r.NormFloat64()), 0), 100)
	s.duration = min(max(int(215_000+58_000*r.NormFloat64()), 31_000), 900_000)
	s.features = fmt.Sprintf("%s,%.3f,%.3f,%d,%.3f,%d,%.4f,%.4f,%.6f,%.4f,%.3f,%.3f,%d",
		[]string{"False", "True"}[r.IntN(12)/11], r.Float64(), r.Float64(), r.IntN(12), -3-9*r.ExpFloat64()/2, r.IntN(2),
		r.Float64()/3, r.Float64(), math.Pow(r.Float64(), 8), r.Float64(), r.Float64(), 118+25*r.NormFloat64(), 3+(r.IntN(9)+1)/2)
	return s
}

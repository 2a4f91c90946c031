package state

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"mss/internal/schema"
)

// benchTotal makes a Total like that of ten million plays of 90,000 tracks by 50,000 users.
func benchTotal(b *testing.B) (*Keys, *Total) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	keys := NewKeys()
	d := &dicts{}
	batch := &Batch{Dict: Dicts{Users: &d.users, Tracks: &d.tracks, Artists: &d.artists, Names: &d.names, Genres: &d.genres, Popularity: &d.popularity, Duration: &d.duration}}
	for i := range 50_000 {
		d.users = append(d.users, int64(i))
	}
	for i := range 90_000 {
		d.tracks = append(d.tracks, fmt.Sprintf("%022x", uint64(i)*0x9E3779B97F4A7C15))
	}
	for i := range 40_000 {
		d.artists = append(d.artists, fmt.Sprint("artists ", i))
	}
	total := NewTotal(keys, schema.Corrected)
	f := NewFolder(total, false)
	for range 10 {
		batch.Runs, batch.Users, batch.Hours = batch.Runs[:0], batch.Users[:0], batch.Hours[:0]
		for track := range int32(90_000) {
			n := 1 + r.IntN(21)
			batch.Runs = append(batch.Runs, Run{Rows: int32(n), Track: track, Artists: track * 7 % 40_000, Name: Null, Popularity: Null, Duration: Null, Genre: Null, Primary: true})
			for range n {
				batch.Users, batch.Hours = append(batch.Users, r.Int32N(50_000)), append(batch.Hours, uint8(r.IntN(hours)))
			}
		}
		if err := f.Fold(batch); err != nil {
			b.Fatal(err)
		}
		f.End(nil)
	}
	return keys, total
}

// BenchmarkTotal times what a run does with the total of all objects, whatever is new.
func BenchmarkTotal(b *testing.B) {
	keys, total := benchTotal(b)
	file, names := total.Encode(), keys.Encode(Sizes{})
	b.Run("Result", func(b *testing.B) {
		for b.Loop() {
			total.Result()
		}
	})
	b.Run("Encode", func(b *testing.B) {
		for b.Loop() {
			total.Encode()
		}
		b.ReportMetric(float64(len(file)), "bytes")
	})
	b.Run("Decode", func(b *testing.B) {
		for b.Loop() {
			if err := NewTotal(keys, schema.Corrected).Decode(file); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("DecodeKeys", func(b *testing.B) {
		for b.Loop() {
			if err := NewKeys().Decode(names); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(names)), "bytes")
	})
}

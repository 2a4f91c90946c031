package demodata

import (
	"math"
	"math/rand/v2"
)

// tableSize is the number of entries of a draw table: a power of two, large enough for 90,000 tracks.
const tableSize = 1 << 19

// world is what songs, users and plays have in common. Its size depends on the tracks and users, not on the plays.
type world struct {
	opt      Options
	trackIDs [][22]byte // those of songs.csv, then those that only plays know
	known    int        // how many of trackIDs are in songs.csv
	strange  int        // how many users only plays know; their ids follow those of users.csv
	tracks   []uint32   // draw table of tracks
	users    []uint32   // draw table of users
	hours    [1024]byte // draw table of hours
}

func newWorld(opt Options) *world {
	w := &world{opt: opt, known: opt.Tracks, strange: max(1, opt.Users/20)}
	w.trackIDs = makeIDs(opt.rand(seedIDs), opt.Tracks+max(1, opt.Tracks/20))
	// Rank one is the most popular track, so that songs.csv can give it a high popularity. Users are drawn
	// through a shuffled list: their numbers say nothing about how much they listen.
	w.tracks = drawTable(opt.Tracks, 0.85, 12)
	w.users = drawTable(opt.Users, 0.55, 50)
	r := opt.rand(seedTables)
	order := r.Perm(opt.Users)
	for i, u := range w.users {
		w.users[i] = uint32(order[u])
	}
	fillHours(&w.hours)
	return w
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func makeIDs(r *rand.Rand, n int) [][22]byte {
	ids := make([][22]byte, n)
	seen := make(map[[22]byte]bool, n)
	for i := range ids {
		for first := true; first || seen[ids[i]]; first = false {
			for j := range ids[i] {
				ids[i][j] = base62[r.IntN(62)]
			}
		}
		seen[ids[i]] = true
	}
	return ids
}

// drawTable makes a Zipf-like draw of n items one look-up: item i has a share of the table in proportion to
// 1/(i+shift)^s.
func drawTable(n int, s, shift float64) []uint32 {
	weights := make([]float64, n)
	var total float64
	for i := range weights {
		weights[i] = math.Pow(float64(i)+shift, -s)
		total += weights[i]
	}
	table := make([]uint32, tableSize)
	item, upTo := 0, weights[0]
	for i := range table {
		for at := (float64(i) + 0.5) / tableSize * total; at > upTo && item < n-1; {
			item++
			upTo += weights[item]
		}
		table[i] = uint32(item)
	}
	return table
}

// hourWeights are the plays of a day by hour: a quiet night, the way to work, a long evening.
var hourWeights = [24]int{19, 12, 8, 5, 4, 6, 13, 27, 38, 36, 37, 41, 46, 45, 42, 44, 52, 63, 71, 76, 79, 70, 52, 33}

func fillHours(table *[1024]byte) {
	total := 0
	for _, w := range hourWeights {
		total += w
	}
	hour, upTo := 0, hourWeights[0]
	for i := range table {
		for i*total >= upTo*len(table) {
			hour++
			upTo += hourWeights[hour]
		}
		table[i] = byte(hour)
	}
}

// Package kpitest is for tests only: made-up rows of mss-transformed, and the KPIs of rows by the words of the contract.
package kpitest

import (
	"math"
	"math/rand/v2"
	"strconv"
)

// Row is a row of mss-transformed; nil is NULL.
type Row struct {
	User                 int64
	Track                string
	Time                 int64 // microseconds
	Artists, Name, Genre *string
	Popularity, Duration *int64
	Primary              bool
}

// Rows makes rows with few distinct values, so that there are ties, NULLs of every kind and sums beyond int64.
func Rows(r *rand.Rand, n int) []Row {
	text := func(prefix string, k int) *string {
		if r.IntN(6) == 0 {
			return nil
		}
		s := prefix + strconv.Itoa(r.IntN(k))
		return &s
	}
	num := func(values ...int64) *int64 {
		if r.IntN(6) == 0 {
			return nil
		}
		return &values[r.IntN(len(values))]
	}
	rows := make([]Row, n)
	for i := range rows {
		if i > 0 && r.IntN(3) > 0 { // a run of one song
			rows[i] = rows[i-1]
		} else {
			rows[i] = Row{Track: "t" + strconv.Itoa(r.IntN(30)), Artists: text("a", 5), Name: text("n", 4), Genre: text("g", 5),
				Popularity: num(-3, 0, 50, 100, math.MaxInt64), Duration: num(math.MaxInt64, math.MaxInt64-1, 1, math.MinInt64, 180000), Primary: r.IntN(3) > 0}
		}
		rows[i].User = []int64{math.MinInt64, -1, 0, 7, math.MaxInt64}[r.IntN(5)] / int64(1+r.IntN(4))
		rows[i].Time = r.Int64N(400*365*86400)*1000003 - 200*365*86400*1000000
	}
	return rows
}

// Plays counts the rows with is_primary.
func Plays(rows []Row) (n int64) {
	for _, r := range rows {
		if r.Primary {
			n++
		}
	}
	return n
}

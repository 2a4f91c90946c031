package oracle

import (
	"fmt"
	"math"
	"strings"
)

// pools makes the values that rows draw from. They are few, so that ties and duplicates are many.
func (g *generator) pools() {
	for i := range 30 {
		g.tracks = append(g.tracks, fmt.Sprintf("%022d", i))
	}
	g.tracks = append(g.tracks, "x", "é", "日本語", " lead", "trail ", "a,b", `q"q`, "two\nlines", "cr\rhere",
		strings.Repeat("long", 100), strings.Repeat("z", 22), strings.Repeat("z", 21)+"Z", strings.Repeat("ü", 11), "NULL", "0", "00")
	g.genres = []string{"", "", "pop", "rock", "Rock", "rock ", "r&b, soul", `"hip" hop`, "new\nage", "\u00e9lectro", "z", "\U0001f3b8",
		// These two differ in their first 100 bytes, and the cut falls inside a character.
		"a" + strings.Repeat("é", 80), "b" + strings.Repeat("é", 80)}
	g.names = []string{"", "", "a", "b", "B", "ab", "a ", "\u00e9", "e\u0301", "\ufffd", "\uffff", "\U00010000", `say "hi"`, "one, two",
		"first\nsecond", "dos\r\nline", "cr\rcr", "NULL", "\\N", "'; DROP TABLE kpi_table; --", "\t", "0",
		strings.Repeat("ä", 200), "x" + strings.Repeat("日", 100), strings.Repeat("\U0001f600", 64), strings.Repeat("n", 255), strings.Repeat("n", 256)}
	g.artists = append([]string{"A;B", "The Band", "Björk"}, g.names...)
	g.integers = []string{"", "", "0", "1", "1", "2", "50", "100", "007", "-0", "-1",
		"9223372036854775807", "9223372036854775806", "-9223372036854775808", "-9223372036854775807", "0000000000000000000000000042"}
	// Ids far apart, close together around 0, and close together at the end of int64: a table of users may care.
	switch g.hazard.Seed % 3 {
	case 0:
		g.users = []string{"-9223372036854775808", "9223372036854775807", "-1", "0", "-0", "000", "1", "01", "2", "3", "4294967296", "1000000000000", "-1000000000000"}
		for i := range 20 {
			g.users = append(g.users, fmt.Sprint(10+i*i*i*i))
		}
	case 1:
		for i := range 40 {
			g.users = append(g.users, fmt.Sprint(i-15))
		}
	case 2:
		for i := range 40 {
			g.users = append(g.users, fmt.Sprint(math.MaxInt64-i))
		}
	}
	for range g.hazard.Songs - 1000 { // many songs have many tracks
		g.tracks = append(g.tracks, fmt.Sprintf("%022x", g.Uint64N(1<<60)))
	}
	// Days at the ends of the calendar, of leap years, of epochs.
	g.instants = []string{"0001-01-01", "9999-12-31", "1969-12-31", "1970-01-01", "2024-02-29", "2000-02-29", "1600-02-29", "1582-10-10",
		"2024-06-01", "2024-06-01", "2024-06-01", "2024-06-02", "2038-01-19", "2262-04-12", "1677-09-20"}
}

// song draws a row of songs.csv; every fourth repeats one track, so that rows conflict.
func (g *generator) song() []string {
	track := pick(g, g.tracks[3:]) // the first three stay unknown
	if g.IntN(4) == 0 {
		track = g.tracks[5]
	}
	return []string{track, pick(g, g.artists), pick(g, g.names), pick(g, g.integers), pick(g, g.integers), pick(g, g.genres)}
}

// user draws an id; users.csv draws from the same few, and misses some.
func (g *generator) user() string { return pick(g, g.users) }

func (g *generator) createdAt() string {
	switch g.IntN(5) {
	case 0:
		return ""
	case 1:
		return pick(g, g.instants)
	}
	return g.listenTime()
}

// listenTime draws a valid timestamp in one of its forms.
func (g *generator) listenTime() string {
	day := pick(g, g.instants)
	s := fmt.Sprintf("%s%s%02d:%02d:%02d", day, pick(g, []string{" ", "T"}), g.IntN(24), g.IntN(60), g.IntN(60))
	if g.IntN(3) == 0 {
		s = day + pick(g, []string{" 00:00:00", " 23:59:59", "T23:00:00"})
	}
	switch g.IntN(6) {
	case 0:
		s += fmt.Sprintf(".%0*d", 1+g.IntN(9), g.IntN(10))
	case 1:
		s += pick(g, []string{".999999", ".9999999999999999999999999", ".0000009", ".5", ".123456"})
	}
	switch {
	case g.IntN(3) > 0:
	case day == "0001-01-01" || day == "9999-12-31":
		s += pick(g, []string{"Z", "+00:00", "-00:00"}) // any shift might leave the calendar
	default:
		s += pick(g, []string{"Z", "+00:00", "-00:00", "+01:00", "-05:30", "+14:00", "-12:00", "+23:59", "-23:59"})
	}
	return s
}

var badIntegers = []string{"x", "+1", "1.0", "1e3", " 1", "1 ", "-", "--1", "9223372036854775808", "-9223372036854775809",
	"99999999999999999999", "0x10", "1_000", "١", "NaN", "1-", "18446744073709551616"}

var badTimes = []string{"x", "2024-06-01 24:00:00", "2024-06-01 23:59:60", "2024-06-01 23:60:00", "2023-02-29 00:00:00", "1900-02-29 00:00:00",
	"0000-01-01 00:00:00", "0001-01-01 00:00:00+00:01", "9999-12-31 23:59:59-00:01", "2024-13-01 00:00:00", "2024-00-10 00:00:00",
	"2024-06-31 00:00:00", "2024-06-00 00:00:00", "2024-06-01 00:00", "2024-06-01T00:00:00.", "2024-06-01 00:00:00,5", "2024-6-1 0:00:00",
	" 2024-06-01 00:00:00", "2024-06-01 00:00:00 ", "2024-06-01  00:00:00", "2024/06/01 00:00:00", "2024-06-01 00:00:00+24:00",
	"2024-06-01 00:00:00+01:60", "2024-06-01 00:00:00 Z", "2024-06-01 00:00:00ZZ", "10000-01-01 00:00:00", "1717200000", "2024-06-01 -1:00:00",
	"２024-06-01 00:00:00", "2024-06-01 00:00:00.5.5", "2024-06-01 00:00:00.x", "2024-06-01 0a:00:00"}

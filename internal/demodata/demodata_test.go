package demodata

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
)

func generate(t *testing.T, b blob.Bucket, opt Options) map[string]string {
	t.Helper()
	sum, err := Generate(t.Context(), b, opt)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := b.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	var size int64
	for _, o := range objects {
		data, _, err := b.ReadAll(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		if o.Key != manifestKey {
			all[o.Key] = string(data)
			size += o.Size
		}
	}
	if len(all) != len(sum.Objects) || size != sum.Bytes {
		t.Errorf("the summary tells of %d objects, %d bytes; there are %d, %d", len(sum.Objects), sum.Bytes, len(all), size)
	}
	return all
}

func TestSameOptionsSameBytes(t *testing.T) {
	opt := Options{Plays: 5000, Seed: 7, Files: 4}
	one := generate(t, memblob.New("mem"), opt)
	opt.Threads = 8
	two := generate(t, memblob.New("mem"), opt)
	if !maps.Equal(one, two) {
		t.Error("the number of threads changes the data")
	}
	opt.Seed = 8
	other := generate(t, memblob.New("mem"), opt)
	for key := range one {
		if one[key] == other[key] {
			t.Errorf("%s is the same for another seed", key)
		}
	}
}

// TestShape holds the data to what the package promises of it: mss is shown and measured on this.
func TestShape(t *testing.T) {
	const plays, tracks, users = 200_000, 9000, 4000
	all := generate(t, memblob.New("mem"), Options{Plays: plays, Seed: 1, Files: 5, Tracks: tracks, Users: users})

	songs, brokenSongs := rows(t, all[songsKey], 21)
	if got := strings.Join(songs[0], ","); got != songsHeader {
		t.Errorf("header of songs.csv: %s", got)
	}
	genresOf := make(map[string]map[string]bool)
	exact, pairs := make(map[string]int), make(map[string]int)
	foreign, commas, quotes := 0, 0, 0
	for _, s := range songs[1:] {
		if s[1] == "" {
			brokenSongs++
			continue
		}
		if genresOf[s[1]] == nil {
			genresOf[s[1]] = make(map[string]bool)
		}
		genresOf[s[1]][s[20]] = true
		pairs[s[1]+s[20]]++
		exact[strings.Join(s[1:], "\x00")]++
		for _, r := range s[4] {
			if r > 0x24f {
				foreign++
				break
			}
		}
		if strings.Contains(s[2], ",") {
			commas++
		}
		if strings.Contains(s[4], `"`) {
			quotes++
		}
	}
	several := 0
	for _, g := range genresOf {
		if len(g) > 1 {
			several++
		}
	}
	repeated := len(songs) - 1 - brokenSongs - len(exact) // a row without a track_id may repeat too
	conflicts := len(exact) - len(pairs)
	between(t, "tracks", len(genresOf), tracks, tracks)
	between(t, "tracks in several genres", several, tracks/8, tracks/4)
	between(t, "repeated song rows", repeated, 10, len(songs)/100)
	between(t, "conflicting song rows", conflicts, 2, len(songs)/100)
	between(t, "broken song rows", brokenSongs, 3, len(songs)/300)
	between(t, "titles in other scripts", foreign, tracks/50, tracks/4)
	between(t, "artists with commas", commas, 100, tracks)
	between(t, "titles with quotes", quotes, 100, tracks)

	people, _ := rows(t, all[usersKey], 5)
	ids := make(map[string]int)
	broken := 0
	for _, u := range people[1:] {
		if _, err := time.Parse(time.DateOnly, u[4]); err != nil || u[0] == "" {
			broken++
			continue
		}
		ids[u[0]]++
	}
	between(t, "users", len(ids), users, users)
	between(t, "repeated users", len(people)-1-broken-len(ids), 1, users/100)
	between(t, "broken user rows", broken, 1, users/300)

	var good, bad, strangeTracks, strangeUsers int
	byTrack, byHour := make(map[string]int), make(map[int]int)
	for i := range 5 {
		lines := strings.Split(strings.TrimSuffix(all[streamKey(i)], "\n"), "\n")
		if lines[0] != "user_id,track_id,listen_time" {
			t.Fatalf("header of %s: %s", streamKey(i), lines[0])
		}
		for _, line := range lines[1:] {
			user, rest, _ := strings.Cut(line, ",")
			track, when, _ := strings.Cut(rest, ",")
			at, err := time.Parse(time.DateTime, when)
			if err != nil || len(track) != 22 || !utf8.ValidString(track) || user == "guest" || strings.Contains(track, `"`) {
				bad++
				continue
			}
			good++
			byTrack[track]++
			byHour[at.Hour()]++
			if genresOf[track] == nil {
				strangeTracks++
			}
			if ids[user] == 0 {
				strangeUsers++
			}
		}
	}
	between(t, "valid plays", good, plays, plays)
	between(t, "broken plays", bad, plays/brokenPlay/2, plays/brokenPlay*2)
	between(t, "plays of unknown tracks", strangeTracks, plays/200, plays/60)
	between(t, "plays by unknown users", strangeUsers, plays/500, plays/120)
	between(t, "hours with plays", len(byHour), 24, 24)
	if byHour[20] < 5*byHour[4] {
		t.Errorf("the evening has %d plays, the night %d: want a daily rhythm", byHour[20], byHour[4])
	}
	top := 0
	for _, n := range byTrack {
		top = max(top, n)
	}
	if mean := good / len(byTrack); top < 10*mean {
		t.Errorf("the most popular track has %d plays, the mean is %d: want few stars and many others", top, mean)
	}
}

// rows reads CSV; records of another length than want count as broken.
func rows(t *testing.T, data string, want int) (records [][]string, broken int) {
	t.Helper()
	r := csv.NewReader(strings.NewReader(data))
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range all {
		if len(record) == want {
			records = append(records, record)
		} else {
			broken++
		}
	}
	return records, broken
}

func between(t *testing.T, what string, got, least, most int) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %d, want %d to %d", what, got, least, most)
	}
}

func TestFewRejectsAtAnySize(t *testing.T) {
	for _, plays := range []int64{1, 2, 10, 100, 834, 1000, 3000} {
		all := generate(t, memblob.New("mem"), Options{Plays: plays, Seed: 3})
		n, bad := 0, 0
		for key, data := range all {
			if !strings.HasPrefix(key, "streams/") {
				continue
			}
			for line := range strings.Lines(data) {
				n++
				if !strings.HasPrefix(line, "user_id") && strings.Count(line, ",") != 2 {
					bad++
				}
			}
		}
		if n -= 3; int64(n) < plays || n-int(plays)+bad > n/100 {
			t.Errorf("%d plays: %d lines, too many of them broken", plays, n)
		}
	}
}

func TestOnlyReplacesItsOwn(t *testing.T) {
	ctx := context.Background()
	b := memblob.New("mem")
	generate(t, b, Options{Plays: 100, Files: 6})
	if all := generate(t, b, Options{Plays: 100, Files: 3}); len(all) != 5 {
		t.Errorf("a smaller set after a larger: %d objects, want 5", len(all))
	}
	mine := []byte("user_id,track_id,listen_time\n")
	if _, err := b.Write(ctx, "streams/mine.csv", mine, blob.Cond{}); err != nil {
		t.Fatal(err)
	}
	_, err := Generate(ctx, b, Options{Plays: 100})
	if !errors.Is(err, ErrOccupied) || !strings.Contains(fmt.Sprint(err), "streams/mine.csv") {
		t.Errorf("into a place with other input: %v", err)
	}
	if data, _, err := b.ReadAll(ctx, "streams/mine.csv"); err != nil || !bytes.Equal(data, mine) {
		t.Errorf("other input after a refusal: %q, %v", data, err)
	}
}

func TestImpossibleSizes(t *testing.T) {
	for _, opt := range []Options{{}, {Plays: -1}, {Plays: 1, Files: -1}, {Plays: 1, Tracks: -1}, {Plays: 1, Users: -2}} {
		if _, err := Generate(t.Context(), memblob.New("mem"), opt); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", opt, err)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := memblob.New("mem")
	if _, err := Generate(ctx, b, Options{Plays: 100}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if objects, _ := b.List(t.Context(), "streams/"); len(objects) > 0 {
		t.Errorf("interrupted, yet there is %v", objects)
	}
}

func BenchmarkPlays(b *testing.B) {
	for b.Loop() {
		if _, err := Generate(b.Context(), memblob.New("mem"), Options{Plays: 1_000_000, Files: 1, Tracks: 90_000, Users: 50_000}); err != nil {
			b.Fatal(err)
		}
	}
}

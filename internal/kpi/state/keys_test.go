package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTables numbers random texts, integers and songs, some of them again and again, and compares with maps.
func TestTables(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 5))
		keys := NewKeys()
		byText, byInt, bySong := map[string]uint32{}, map[int64]uint32{}, map[song]uint32{}
		var before *texts
		var codes []uint32
		for range 5 {
			var d texts
			if before != nil && r.IntN(2) == 0 { // it begins like the one before
				d = slices.Clone((*before)[:r.IntN(len(*before)+1)])
			}
			var values ints
			for range r.IntN(3000) {
				d = append(d, fmt.Sprintf("%0*d", r.IntN(30), r.IntN(2000))[r.IntN(2):])
				values = append(values, []int64{r.Int64N(1000), int64(r.Uint64()), r.Int64N(10) << 40}[r.IntN(3)])
			}
			var err error
			last := Texts(nil)
			if before != nil {
				last = before
			}
			if codes, err = keys.tracks.codes(codes, &d, last); err != nil {
				t.Fatal(err)
			}
			before = &d
			if codes[0] != None {
				t.Fatalf("null has the code %d", codes[0])
			}
			for i, v := range d {
				if want, ok := byText[v]; ok && codes[i+1] != want || string(keys.tracks.text(codes[i+1])) != v {
					t.Fatalf("seed %d: %q has the code %d, which is %q; it had %d", seed, v, codes[i+1], keys.tracks.text(codes[i+1]), want)
				}
				byText[v] = codes[i+1]
			}
			users, err := keys.users.codes(nil, &values)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				if want, ok := byInt[v]; ok && users[i] != want || keys.users.values[users[i]] != v {
					t.Fatalf("seed %d: %d has the code %d, it had %d", seed, v, users[i], want)
				}
				byInt[v] = users[i]
			}
			var songs []song
			for range r.IntN(500) {
				songs = append(songs, song{uint32(r.IntN(50)), []uint32{None, 0, 1, uint32(r.IntN(20))}[r.IntN(4)]})
			}
			got := make([]uint32, len(songs))
			if err := keys.songs.codes(got, songs, 50); err != nil {
				t.Fatal(err)
			}
			for i, s := range songs {
				if want, ok := bySong[s]; ok && got[i] != want || keys.songs.songs[got[i]] != s {
					t.Fatalf("seed %d: %v has the code %d, it had %d", seed, s, got[i], want)
				}
				bySong[s] = got[i]
			}
		}
		if s := keys.Sizes(); s.Tracks != len(byText) || s.Users != len(byInt) || s.Songs != len(bySong) {
			t.Fatalf("seed %d: %+v, want %d, %d, %d", seed, s, len(byText), len(byInt), len(bySong))
		}
	}
}

// TestKeysInOrder checks that files of keys are taken in their order only.
func TestKeysInOrder(t *testing.T) {
	keys := NewKeys()
	if _, err := keys.tracks.codes(nil, &texts{"a", "b"}, nil); err != nil {
		t.Fatal(err)
	}
	first, sizes := keys.Encode(Sizes{}), keys.Sizes()
	if _, err := keys.tracks.codes(nil, &texts{"c"}, nil); err != nil {
		t.Fatal(err)
	}
	second := keys.Encode(sizes)
	for _, files := range [][][]byte{{second}, {first, first}, {first, second, second}} {
		again := NewKeys()
		var err error
		for _, f := range files {
			err = errors.Join(err, again.Decode(f))
		}
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%d files: %v", len(files), err)
		}
	}
}

package state

import (
	"slices"
	"sync"
)

// None is the code of a null.
const None = ^uint32(0)

// Texts are a dictionary of texts. A dictionary is never changed; equal (==) ones are the same.
type Texts interface {
	Len() int
	// Text is the value of a code; it stays as it is.
	Text(code uint32) []byte
	// Common is how many values at the front are known to be the same as those of another dictionary, which may be nil.
	Common(other Texts) int
}

// Ints are a dictionary of integers, likewise.
type Ints interface {
	// AppendInts appends all values.
	AppendInts(dst []int64) []int64
}

// Keys number the users, tracks, artists and songs of all states that are folded, read or merged together: their codes are
// places in arrays, in states as in Totals. Keys only ever grow, so that a state which was written under fewer keys holds
// under more. Fold may be called concurrently on Folders that share Keys.
type Keys struct {
	users   intTable
	tracks  textTable
	artists textTable
	songs   songTable
}

// NewKeys makes empty keys.
func NewKeys() *Keys { return &Keys{} }

// song is what a play is counted by: its track with its artists text, or None.
type song struct {
	track, artists uint32
}

// songTable numbers songs in the order in which they are added, which is that of the rows they come from. So the codes of rows that are
// in the same order mostly ascend.
type songTable struct {
	mu    sync.Mutex
	songs []song          // by code
	first []trackSong     // by track
	other map[song]uint32 // the codes of songs whose track is in another one, too
}

// trackSong is the first song of a track. Mostly it is the only one.
type trackSong struct {
	artists uint32
	code    uint32 // plus one; 0 where there is none
}

func (t *songTable) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.songs)
}

// all are the songs that have numbers now. They never change.
func (t *songTable) all() []song {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.songs
}

// codes fills in the codes of songs; of each the track and the artists are given. There are that many tracks in all.
func (t *songTable) codes(codes []uint32, songs []song, tracks int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.room(tracks)
	for i, s := range songs {
		if f := t.first[s.track]; f.code != 0 && f.artists == s.artists {
			codes[i] = f.code - 1
			continue
		}
		code, err := t.add(s)
		if err != nil {
			return err
		}
		codes[i] = code
	}
	return nil
}

// room makes room for the songs of so many tracks.
func (t *songTable) room(tracks int) {
	if tracks > cap(t.first) {
		n := tracks + tracks/16
		t.first = slices.Grow(t.first, n-len(t.first))
		t.songs = slices.Grow(t.songs, max(0, n-len(t.songs)))
	}
	t.first = fit(t.first, tracks)
}

// add gives the code of a song whose track is within the room.
func (t *songTable) add(s song) (uint32, error) {
	f := &t.first[s.track]
	if f.code != 0 {
		if f.artists == s.artists {
			return f.code - 1, nil
		}
		if code, ok := t.other[s]; ok {
			return code, nil
		}
	}
	code := uint32(len(t.songs))
	if code >= None-1 {
		return 0, errTooMany
	}
	t.songs = append(t.songs, s)
	if f.code == 0 {
		*f = trackSong{s.artists, code + 1}
		return code, nil
	}
	if t.other == nil {
		t.other = map[song]uint32{}
	}
	t.other[s] = code
	return code, nil
}

// fit makes s at least n long.
func fit[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	return append(s, make([]T, n-len(s))...)
}

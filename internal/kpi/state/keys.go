package state

import "sync"

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

// song is what a play is counted by: its track with its artists text, or None. A track mostly is in one song.
type song struct {
	track, artists uint32
	next           uint32 // another song of this track, None at the end
}

// songTable numbers songs in the order in which they are added, which is that of the rows they come from. So rows that are
// in the same order go through the counters of their songs from front to back, and wait for memory seldom.
type songTable struct {
	mu    sync.Mutex
	songs []song   // by code
	first []uint32 // by track: code+1 of a song of it, 0 where there is none
}

func (t *songTable) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.songs)
}

// codes fills in the codes of songs; of each the track and the artists are given.
func (t *songTable) codes(codes []uint32, tracks, artists []uint32) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, track := range tracks {
		code, err := t.add(track, artists[i])
		if err != nil {
			return err
		}
		codes[i] = code
	}
	return nil
}

func (t *songTable) add(track, artists uint32) (uint32, error) {
	t.first = fit(t.first, int(track)+1)
	head := t.first[track] - 1 // None when it was 0
	for code := head; code != None; code = t.songs[code].next {
		if t.songs[code].artists == artists {
			return code, nil
		}
	}
	if len(t.songs) >= int(None)-1 {
		return 0, errTooMany
	}
	code := uint32(len(t.songs))
	t.songs = append(t.songs, song{track, artists, head})
	t.first[track] = code + 1
	return code, nil
}

// fit makes s at least n long.
func fit[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	return append(s, make([]T, n-len(s))...)
}

package state

import (
	"encoding/binary"
	"math"
	"slices"
)

// Sizes say how many keys there are.
type Sizes struct {
	Users   int `json:"users"`
	Tracks  int `json:"tracks"`
	Artists int `json:"artists"`
	Songs   int `json:"songs"`
}

// Sizes tells how many keys there are now.
func (k *Keys) Sizes() Sizes {
	return Sizes{k.users.size(), k.tracks.size(), k.artists.size(), k.songs.size()}
}

// Encode gives the keys that were added since there were from, as a file. Nothing may be added meanwhile.
func (k *Keys) Encode(from Sizes) []byte {
	now := k.Sizes()
	room := len(k.tracks.texts) + len(k.artists.texts) + 4*(now.Users-from.Users) + 2*(now.Tracks-from.Tracks+now.Artists-from.Artists) + 8*(now.Songs-from.Songs)
	dst := append(make([]byte, 0, room+256), keysMagic...)
	for _, n := range []int{from.Users, now.Users, from.Tracks, now.Tracks, from.Artists, now.Artists, from.Songs, now.Songs} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	last := int64(0)
	for _, v := range k.users.values[from.Users:] {
		dst = binary.AppendVarint(dst, v-last)
		last = v
	}
	dst = k.tracks.encode(dst, from.Tracks)
	dst = k.artists.encode(dst, from.Artists)
	last = 0
	for _, s := range k.songs.songs[from.Songs:] {
		dst = binary.AppendVarint(dst, int64(s.track)-last)
		last = int64(s.track)
	}
	for _, s := range k.songs.songs[from.Songs:] {
		dst = binary.AppendUvarint(dst, uint64(s.artists+1)) // None is 0
	}
	return dst
}

func (t *textTable) encode(dst []byte, from int) []byte {
	at := uint32(0)
	if from > 0 {
		at = t.ends[from-1]
	}
	texts := t.texts[at:]
	for _, end := range t.ends[from:] {
		dst = binary.AppendUvarint(dst, uint64(end-at))
		at = end
	}
	return append(dst, texts...)
}

// Decode adds the keys of a file to those of the files before it. It may keep data. After an error the keys are of no use any more.
func (k *Keys) Decode(data []byte) error {
	s, err := open(data, keysMagic)
	if err != nil {
		return err
	}
	var from, to Sizes
	for _, p := range [][2]*int{{&from.Users, &to.Users}, {&from.Tracks, &to.Tracks}, {&from.Artists, &to.Artists}, {&from.Songs, &to.Songs}} {
		a, b := s.uvarint(), s.uvarint()
		if a > b || b-a > uint64(len(s.b)) {
			return ErrFormat
		}
		*p[0], *p[1] = int(a), int(b)
	}
	if from != k.Sizes() {
		return ErrFormat
	}
	last := int64(0)
	k.users.values = slices.Grow(k.users.values, to.Users-from.Users)
	for range to.Users - from.Users {
		last += s.varint()
		k.users.values = append(k.users.values, last)
	}
	k.tracks.decode(s, to.Tracks-from.Tracks)
	k.artists.decode(s, to.Artists-from.Artists)
	n := to.Songs - from.Songs
	tracks, artists := make([]uint32, n), make([]uint32, n)
	s.deltas(tracks, to.Tracks)
	s.uvarints(artists)
	if s.bad {
		return ErrFormat
	}
	k.songs.room(to.Tracks)
	for i, track := range tracks {
		if int64(artists[i]) > int64(to.Artists) {
			return ErrFormat
		}
		if _, err := k.songs.add(song{track, artists[i] - 1}); err != nil {
			return err
		}
	}
	if s.bad || len(s.b) > 0 || k.Sizes() != to {
		return ErrFormat
	}
	// The tables are made when they are first asked.
	k.users.slots, k.tracks.slots, k.artists.slots = nil, nil, nil
	return nil
}

func (t *textTable) decode(s *source, n int) {
	lengths := make([]uint32, n)
	s.uvarints(lengths)
	from := uint64(len(t.texts))
	at := from
	t.ends = slices.Grow(t.ends, n+n/16)
	for _, length := range lengths {
		at += uint64(length)
		t.ends = append(t.ends, uint32(at))
	}
	if at > math.MaxUint32 {
		s.fail()
		return
	}
	b := s.take(int(at - from))
	if len(t.texts) == 0 {
		t.texts = b
	} else {
		t.texts = append(t.texts, b...)
	}
}

package state

import "slices"

// sorter brings parts into the order of codes. The state of an object becomes half as large by that, for the differences between codes
// are small then. It keeps its memory.
type sorter struct {
	keys, space    []uint64
	codes, numbers []uint32
	starts         []uint32
	in             []uint8
}

// order sorts codes: it gives them with their places, as code<<32 | place, those of equal codes in their order.
func (s *sorter) order(codes []uint32) []uint64 {
	s.keys, s.space = resize(s.keys, len(codes)), resize(s.space, len(codes))
	a, b := s.keys, s.space
	greatest := uint32(0)
	for i, c := range codes {
		a[i] = uint64(c)<<32 | uint64(i)
		greatest = max(greatest, c)
	}
	// By eleven bits at a time, from the lowest on.
	const bits = 11
	for shift := 0; greatest>>shift > 0 && shift < 32; shift += bits {
		var from [1 << bits]uint32
		for _, k := range a {
			from[k>>(32+shift)%(1<<bits)]++
		}
		at := uint32(0)
		for i, n := range from {
			from[i] = at
			at += n
		}
		for _, k := range a {
			f := &from[k>>(32+shift)%(1<<bits)]
			b[*f] = k
			*f++
		}
		a, b = b, a
	}
	return a
}

// sorted says whether codes are in order, or nearly so: those of a large row group mostly are, and to sort them would cost more than it
// saves.
func sorted(codes []uint32) bool {
	steps, last := 0, uint32(0)
	for _, c := range codes {
		if c < last {
			steps++
		}
		last = c
	}
	return steps <= len(codes)/8
}

// sort sorts the users and the runs of a part. Runs of the same song become one.
func (s *sorter) sort(p *part) {
	if !sorted(p.users) {
		s.codes, s.numbers = resize(s.codes, len(p.users)), resize(s.numbers, len(p.users))
		for i, k := range s.order(p.users) {
			s.codes[i], s.numbers[i] = uint32(k>>32), p.hours[uint32(k)]
		}
		p.users, s.codes = s.codes, p.users
		p.hours, s.numbers = s.numbers, p.hours
	}
	if sorted(p.songs) {
		return
	}
	s.starts = resize(s.starts, len(p.songs))
	at := uint32(0)
	for i, n := range p.counts {
		s.starts[i] = at
		at += n
	}
	songs, counts, in := s.codes[:0], s.numbers[:0], s.in[:0]
	songs, counts, in = slices.Grow(songs, len(p.songs)), slices.Grow(counts, len(p.songs)), slices.Grow(in, len(p.in))
	for _, k := range s.order(p.songs) {
		song, n, start := uint32(k>>32), p.counts[uint32(k)], s.starts[uint32(k)]
		if last := len(songs) - 1; last >= 0 && songs[last] == song {
			counts[last] += n
		} else {
			songs, counts = append(songs, song), append(counts, n)
		}
		in = append(in, p.in[start:start+n]...)
	}
	p.songs, s.codes = songs, p.songs
	p.counts, s.numbers = counts, p.counts
	p.in, s.in = in, p.in
}

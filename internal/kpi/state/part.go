package state

// part is what was folded of one row group, or of a stretch of it. Its runs are those of the rows, in their order: nothing is looked up
// or kept for each song on the way.
type part struct {
	tally
	users  []uint32 // codes of keys
	hours  []uint32 // of each of these users, as bits
	songs  []uint32 // by run: its code of keys
	counts []uint32 // by run: its rows
	in     []uint8  // by row of the runs: its hour
}

func (p *part) reset() {
	p.tally = tally{}
	p.users, p.hours, p.songs, p.counts, p.in = p.users[:0], p.hours[:0], p.songs[:0], p.counts[:0], p.in[:0]
}

// addPart adds a part and the genres of its rows. It may be called concurrently.
func (t *Total) addPart(p *part, g *genres) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fit()
	t.tally.add(p.tally)
	t.genres.merge(g)
	for i, code := range p.users {
		t.users[code] |= p.hours[i]
	}
	in := p.in
	for i, song := range p.songs {
		counts := &t.songs[song]
		n := p.counts[i]
		for _, h := range in[:n] {
			if counts[h]++; counts[h] == 0 {
				t.carry(song, int(h), narrow+1)
			}
		}
		in = in[n:]
	}
}

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

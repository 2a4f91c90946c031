package state

import "github.com/klauspost/compress/zstd"

// part is what the state of an object holds of one row group. Its runs are those of the row group, one behind the other; so it can be
// written as it is folded, and nothing need be kept for each song.
type part struct {
	tally
	users  []uint32 // codes of keys
	hours  []uint32 // of each of these users, as bits
	songs  []uint32 // by run: its code of keys
	counts []uint32 // by run: its rows
	in     []uint8  // by row: its hour

	columns []byte
	zstd    *zstd.Encoder
}

func (p *part) reset() {
	p.tally = tally{}
	p.users, p.hours, p.songs, p.counts, p.in = p.users[:0], p.hours[:0], p.songs[:0], p.counts[:0], p.in[:0]
}

func (p *part) addUser(code, hours uint32) {
	p.users, p.hours = append(p.users, code), append(p.hours, hours)
}

// count adds rows of a song. A run that goes over the end of a page comes in two.
func (p *part) count(song uint32, in []uint8) {
	if last := len(p.songs) - 1; last >= 0 && p.songs[last] == song {
		p.counts[last] += uint32(len(in))
	} else {
		p.songs, p.counts = append(p.songs, song), append(p.counts, uint32(len(in)))
	}
	p.in = append(p.in, in...)
}

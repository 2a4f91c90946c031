package csvio

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
)

// BatchRows is the most plays that a PlayBatch holds: its columns stay in the second-level cache.
const BatchRows = 4096

// PlayBatch holds plays as columns. It is valid until the next call of Next.
type PlayBatch struct {
	N        int
	User     []int64
	Time     []int64 // microseconds since 1970-01-01
	TrackPos []uint32
	TrackLen []uint32
	Text     []byte // the track of play i is Text[TrackPos[i]:][:TrackLen[i]]; 64 bytes more may be loaded behind it
}

// Track is the track_id of play i.
func (b *PlayBatch) Track(i int) []byte {
	return b.Text[b.TrackPos[i] : b.TrackPos[i]+b.TrackLen[i]]
}

func (b *PlayBatch) add(user, time int64, pos, n int) {
	b.User[b.N], b.Time[b.N], b.TrackPos[b.N], b.TrackLen[b.N] = user, time, uint32(pos), uint32(n)
	b.N++
}

// Plays reads rows of the table user_id, track_id, listen_time as batches of columns.
//
// Nearly all lines are `digits,22 letters or digits,YYYY-MM-DD HH:MM:SS` and a line end, in files whose header has those three
// columns and no more. Such a line is taken by words of eight bytes (see fast); every other line, every line of a
// block that holds a quote, and every line of a file of another shape go through Scanner.record.
type Plays struct {
	Scanner
	stretchEnd int  // end of the stretch of the window that was looked at
	fastLines  bool // each physical line of the stretch is a record, and may be tried the fast way
	month      month
}

// Reset begins a chunk, see Scanner.Reset.
func (s *Plays) Reset(r io.Reader, l *Layout, c Chunk) {
	s.Scanner.Reset(r, l, c)
	s.stretchEnd = 0
}

// Continue begins the next chunk, see Scanner.Continue.
func (s *Plays) Continue(end int64) {
	s.Scanner.Continue(end)
	s.stretchEnd = 0
}

// Next fills b with the next plays. It is false at the end of the chunk, with b empty.
func (s *Plays) Next(b *PlayBatch) (bool, error) {
	if b.User == nil {
		b.User, b.Time = make([]int64, BatchRows), make([]int64, BatchRows)
		b.TrackPos, b.TrackLen = make([]uint32, BatchRows), make([]uint32, BatchRows)
	}
	b.N = 0
	for b.N < BatchRows {
		if s.p >= s.stretchEnd {
			// The window may move only while no play of the batch points into it.
			if b.N > 0 && s.p >= s.w.n {
				break
			}
			if ok, err := s.more(); !ok || err != nil {
				b.Text = s.w.buf
				return b.N > 0, err
			}
			s.stretchEnd, s.fastLines = s.stretch()
		}
		if s.fastLines && s.fast(b) {
			continue
		}
		base := s.w.base
		ok, full, err := s.record(b.N == 0)
		if err != nil {
			return false, err
		}
		if full {
			break
		}
		if s.w.base != base {
			s.stretchEnd = 0 // the window has moved
		}
		if ok {
			v := s.values
			t := s.fields[s.layout.index[1]]
			b.add(v[0].Int, v[2].Int, t.start, t.end-t.start)
		}
	}
	b.Text = s.w.buf
	return true, nil
}

// stretch looks at what is left in the window: whole lines without a quote among them may be tried the fast way; what
// follows a quote, or a part of a line, may not.
func (s *Plays) stretch() (end int, fast bool) {
	l := s.layout
	last := int(min(int64(s.w.n), s.end-s.w.base)) // a record that begins at the chunk's end or behind it is the next chunk's
	if l.fields != 3 || l.index[0] != 0 || l.index[1] != 1 || l.index[2] != 2 {
		return last, false
	}
	rest := s.w.buf[s.p:s.w.n]
	plain := rest
	if k := bytes.IndexByte(rest, '"'); k >= 0 {
		plain = rest[:k]
	}
	if k := bytes.LastIndexByte(plain, '\n'); k >= 0 {
		return min(s.p+k+1, last), true
	}
	return last, false
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	zeros = 0x30 * ones // eight '0'
)

// fast takes lines of the usual shape into b, until it fills up, or the stretch ends, or one is of another shape. It is false when the line at s.p is of another shape.
//
// All lines of the stretch end with a newline in the window, and the checks below let no newline pass
// but the last byte of the shape; so a line that fits ends there.
func (s *Plays) fast(b *PlayBatch) bool {
	buf, p, n := s.w.buf, s.p, b.N
	users, times, poss, lens := b.User[:BatchRows], b.Time[:BatchRows], b.TrackPos[:BatchRows], b.TrackLen[:BatchRows]
	fits := true
	for p < s.stretchEnd && n < BatchRows {
		// user_id: one to seven digits and a comma.
		w := binary.LittleEndian.Uint64(buf[p:])
		x := w ^ ','*ones
		comma := (x - ones) &^ x & highs
		d := bits.TrailingZeros64(comma) >> 3
		if uint(d-1) > 6 { // no comma at 1 to 7
			fits = false
			break
		}
		// The digits move to the high end, with '0' before them; then pairs, fours and eights add up.
		w = w<<(64-8*d) | zeros>>(8*d)
		if (w&0xF0F0F0F0F0F0F0F0^zeros)|((w+0x0606060606060606)&0xF0F0F0F0F0F0F0F0^zeros) != 0 {
			fits = false
			break
		}
		w = (w & 0x0F0F0F0F0F0F0F0F) * (1 + 10<<8) >> 8
		w = (w & 0x00FF00FF00FF00FF) * (1 + 100<<16) >> 16
		user := int64((w & 0x0000FFFF0000FFFF) * (1 + 10000<<32) >> 32)

		// track_id: 22 bytes from '0' to DEL, and a comma. A borrow can only make the test too strict.
		q := p + d + 1
		line := buf[q : q+48]
		a, m, z := binary.LittleEndian.Uint64(line), binary.LittleEndian.Uint64(line[8:]), binary.LittleEndian.Uint64(line[14:])
		odd := ((a - zeros) | a | (m - zeros) | m | (z - zeros) | z) & highs
		if odd != 0 || line[22] != ',' {
			fits = false
			break
		}

		// listen_time: YYYY-MM-DD HH:MM:SS and the line end.
		if ym := binary.LittleEndian.Uint64(line[23:]); ym != s.month.word && !s.month.set(ym) {
			fits = false
			break
		}
		t := binary.LittleEndian.Uint64(line[31:]) ^ 0x30303A3030203030 // "00 00:00"
		u := binary.LittleEndian.Uint32(line[39:]) ^ 0x0A30303A         // ":00\n"
		end := 20
		if u>>24 == '\r'^'\n' && line[43] == '\n' {
			u &= 0x00FFFFFF
			end = 21
		}
		if (t|(t+0x0606000606000606))&0xF0F0FFF0F0FFF0F0 != 0 || (u|(u+0x00060600))&0xFFF0F0FF != 0 {
			fits = false
			break
		}
		day := int(t&15)*10 + int(t>>8&15)
		hour := int(t>>24&15)*10 + int(t>>32&15)
		minute := int(t>>48&15)*10 + int(t>>56)
		second := int(u>>8&15)*10 + int(u>>16&15)
		if uint(day-1) >= uint(s.month.days) || hour > 23 || minute > 59 || second > 59 {
			fits = false
			break
		}
		users[n] = user
		times[n] = (s.month.start + int64(day*86400+hour*3600+minute*60+second)) * 1e6
		poss[n], lens[n] = uint32(q), 22
		n++
		p = q + 23 + end
	}
	rows := int64(n - b.N)
	s.records += rows
	s.lines += rows
	s.p, b.N = p, n
	return fits
}

// month remembers the last month seen: the plays of a file are mostly of few.
type month struct {
	word  uint64 // its eight bytes "YYYY-MM-"
	start int64  // seconds of the day before its first
	days  int
}

func (m *month) set(word uint64) bool {
	var b [10]byte
	binary.LittleEndian.PutUint64(b[:], word)
	b[8], b[9] = '0', '1'
	days, ok := parseDate(b[:])
	if !ok {
		return false
	}
	*m = month{word: word, start: (days - 1) * 86400, days: daysIn(two(b[:])*100+two(b[2:]), two(b[5:]))}
	return true
}

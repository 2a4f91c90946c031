package integrate

import (
	"math"
	"math/bits"

	"mss/internal/parquetio"
	"mss/internal/schema"
)

// timeCodes encodes the listen_time of a chunk. Plays of whole seconds that lie close together get a dictionary of the seconds
// that occur, whose codes are found by subtraction; others are stored plain.
type timeCodes struct {
	time  []int64
	first int64 // microseconds
	last  int64
	// seconds says that a payload is the number of seconds since first; else it is the play's number in time.
	seconds bool
	span    uint32 // greatest payload, in seconds

	coded bool // a dictionary is written
	dict  *parquetio.Dict
	whole bool     // of every second: a payload is its own code
	rank  []uint32 // by second: its code
	space []uint32
}

// begin looks at the times of a chunk.
func (t *timeCodes) begin(time []int64) {
	lo, hi := time[0], time[0]
	for _, v := range time {
		lo, hi = min(lo, v), max(hi, v)
	}
	t.time, t.first, t.last = time, lo, hi
	t.seconds = uint64(hi-lo)/1e6 < math.MaxUint32
	if t.seconds {
		t.span = uint32((hi - lo) / 1e6)
		for _, v := range time {
			if off := uint64(v - lo); off/1e6*1e6 != off {
				t.seconds = false
				break
			}
		}
	}
}

// payload is what stands for the time of play i.
func (t *timeCodes) payload(i int) uint32 {
	if t.seconds {
		return uint32(uint64(t.time[i]-t.first) / 1e6)
	}
	return uint32(i)
}

// value undoes payload.
func (t *timeCodes) value(p uint32) int64 {
	if t.seconds {
		return t.first + int64(p)*1e6
	}
	return t.time[p]
}

// What a time takes after Snappy: plain, of random times within a day to a month, and as an entry of a sorted dictionary. An entry
// takes 4 bytes, measured, and is counted twice since it also costs time.
const (
	plainBytes = 8
	entryBytes = 8
)

// finish decides between dictionary and plain, and makes the dictionary: of every second of the span when at least half of
// them occur, so that a payload is its own code, and of those that occur otherwise.
func (t *timeCodes) finish(plays []uint64) {
	t.coded = false
	if !t.seconds || uint64(t.span) >= 4*uint64(len(plays))+1024 {
		return
	}
	if n := int(t.span) + 1; cap(t.space) < n {
		t.space = make([]uint32, n)
	}
	rank := t.space[:t.span+1]
	clear(rank)
	distinct := 0
	for _, p := range plays {
		if s := uint32(p); rank[s] == 0 {
			rank[s] = 1
			distinct++
		}
	}
	t.whole = 2*distinct >= len(rank)
	n := distinct
	if t.whole {
		n = len(rank)
	}
	width := max(1, bits.Len(uint(n-1)))
	if t.coded = n*entryBytes+len(plays)*width/8 < len(plays)*plainBytes; !t.coded {
		return
	}
	if t.dict == nil {
		t.dict = parquetio.NewDict(schema.Timestamp)
	}
	t.dict.Reset()
	t.dict.Grow(n, 0)
	for s, used := range rank {
		if t.whole || used != 0 {
			rank[s] = uint32(t.dict.Len())
			t.dict.AddInt(t.first + int64(s)*1e6)
		}
	}
	t.rank = rank
}

// codes fills the dictionary codes of the plays in.
func (t *timeCodes) codes(dst []uint32, plays []uint64) {
	if t.whole {
		for i, p := range plays {
			dst[i] = uint32(p)
		}
		return
	}
	for i, p := range plays {
		dst[i] = t.rank[uint32(p)]
	}
}

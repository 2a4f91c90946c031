package integrate

import (
	"math"

	"mss/internal/parquetio"
	"mss/internal/schema"
)

// timeCodes encodes the listen_time of a chunk. Plays of whole seconds that lie close together get a dictionary of the seconds
// that occur, whose codes are found by subtraction; others are stored plain.
type timeCodes struct {
	time  []int64
	first int64 // microseconds
	// seconds says that a payload is the number of seconds since first; else it is the play's number in time.
	seconds bool
	span    uint32 // greatest payload, in seconds

	coded bool // a dictionary is written
	dict  *parquetio.Dict
	rank  []uint32 // by second: its code
}

// begin looks at the times of a chunk.
func (t *timeCodes) begin(time []int64) {
	lo, hi := time[0], time[0]
	for _, v := range time {
		lo, hi = min(lo, v), max(hi, v)
	}
	t.time, t.first = time, lo
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

// plainBytes is about what a plain time takes after Snappy.
const plainBytes = 6

// finish decides between dictionary and plain, and makes the dictionary.
func (t *timeCodes) finish(plays []uint64) {
	t.coded = false
	if !t.seconds || uint64(t.span) >= 4*uint64(len(plays))+1024 {
		return
	}
	if n := int(t.span) + 1; cap(t.rank) < n {
		t.rank = make([]uint32, n)
	}
	rank := t.rank[:t.span+1]
	clear(rank)
	for _, p := range plays {
		rank[uint32(p)] = 1
	}
	if t.dict == nil {
		t.dict = parquetio.NewDict(schema.Timestamp)
	}
	t.dict.Reset()
	for s, used := range rank {
		if used != 0 {
			rank[s] = uint32(t.dict.Len())
			t.dict.AddInt(t.first + int64(s)*1e6)
		}
	}
	width := 1
	for 1<<width < t.dict.Len() {
		width++
	}
	t.coded = t.dict.Len()*8+len(plays)*width/8 < len(plays)*plainBytes
}

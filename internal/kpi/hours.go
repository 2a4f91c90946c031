package kpi

import (
	"math"

	"mss/internal/kpi/state"
)

// timestamps are a dictionary of microseconds since 1970.
type timestamps interface {
	state.Ints
	Len() int
	// Steps says whether each value is the one before and step, and gives the first; false when there is none.
	Steps(step int64) (first int64, ok bool)
}

// hourTable gives the hour of day of each value of a dictionary of timestamps: of code c it is hours[c]. A dictionary of one second
// after the other, as mss writes them, gets a table of hours instead of seconds: of code c it is hours[(c+shift)/3600]. That stays in
// the first-level cache.
type hourTable struct {
	dict    timestamps
	hours   []uint8
	seconds bool
	shift   uint32 // seconds between the last full hour and the first value
	values  []int64
}

const (
	second = 1000000 // microseconds
	hour   = 3600 * second
	day    = 24 * hour
)

// use turns to a dictionary.
func (t *hourTable) use(d timestamps) {
	if t.dict == d {
		return
	}
	t.dict, t.hours, t.seconds = d, t.hours[:0], false
	if first, ok := d.Steps(second); ok && first%second == 0 && first <= math.MaxInt64-int64(d.Len())*second-hour {
		t.seconds = true
		t.shift = uint32(((first % hour) + hour) % hour / second)
		for at := first; at < first+int64(d.Len())*second+hour; at += hour {
			t.hours = append(t.hours, hourOf(at))
		}
		return
	}
	t.values = d.AppendInts(t.values[:0])
	t.hours = grow(t.hours, len(t.values))
	hoursOf(t.hours, t.values)
}

// of fills in the hours of codes.
func (t *hourTable) of(in []uint8, codes []int32) {
	in = in[:len(codes)]
	hours := t.hours
	if !t.seconds {
		for i, code := range codes {
			in[i] = hours[code]
		}
		return
	}
	shift := t.shift
	for i, code := range codes {
		in[i] = hours[(uint32(code)+shift)/3600]
	}
}

// hourOf is the hour of day of microseconds since 1970, also before it.
func hourOf(micros int64) uint8 {
	in := micros % day
	if in < 0 {
		in += day
	}
	return uint8(in / hour)
}

// hoursOf fills in the hours of times.
func hoursOf(in []uint8, times []int64) {
	const days = 100_000_000 * day // 270,000 years: more than any time of a calendar is before 1970
	in = in[:len(times)]
	for i, t := range times {
		if u := uint64(t) + days; u < 2*days {
			in[i] = uint8(u / hour % 24)
		} else {
			in[i] = hourOf(t)
		}
	}
}

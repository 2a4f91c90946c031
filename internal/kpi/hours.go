package kpi

import "mss/internal/kpi/state"

// hourTable gives the hour of day of each value of a dictionary of timestamps: of code c it is hours[(c+shift)>>bits].
// A dictionary of one second after the other, as mss writes them, gets a table of stretches of 16 seconds, none of which
// lies in two hours: it stays in the first-level cache, where one of all seconds would not.
type hourTable struct {
	dict  state.Ints
	hours []uint8
	shift uint32
	bits  uint
}

const (
	stretchBits = 4
	second      = 1000000 // microseconds
)

// use turns to a dictionary.
func (t *hourTable) use(d state.Ints) {
	if t.dict == d {
		return
	}
	t.dict, t.hours, t.shift, t.bits = d, t.hours[:0], 0, 0
	n := d.Len()
	if consecutive(d) {
		const stretch = 1 << stretchBits
		at := d.Int(0) / second
		t.shift, t.bits = uint32((at%stretch+stretch)%stretch), stretchBits
		for s := at - int64(t.shift); s < at+int64(n); s += stretch {
			t.hours = append(t.hours, hourOf(s*second))
		}
		return
	}
	for i := range n {
		t.hours = append(t.hours, hourOf(d.Int(uint32(i))))
	}
}

// of fills in the hours of codes.
func (t *hourTable) of(in []uint8, codes []int32) {
	in = in[:len(codes)]
	hourOf, shift, width := t.hours, t.shift, t.bits&31
	for i, code := range codes {
		in[i] = hourOf[(uint32(code)+shift)>>width]
	}
}

// consecutive says whether the values are whole seconds, one after the other.
func consecutive(d state.Ints) bool {
	n := d.Len()
	if n == 0 || d.Int(0)%second != 0 {
		return false
	}
	first := d.Int(0)
	for i := range n {
		if d.Int(uint32(i)) != first+int64(i)*second {
			return false
		}
	}
	return true
}

const day = 86400 * 1000000 // microseconds

// hourOf is the hour of day of microseconds since 1970, also before it.
func hourOf(micros int64) uint8 {
	in := micros % day
	if in < 0 {
		in += day
	}
	return uint8(in / (day / 24))
}

package csvio

// Seconds of 0001-01-01T00:00:00 and of 10000-01-01T00:00:00: the range of a stored timestamp.
const (
	minSeconds = -62135596800
	endSeconds = 253402300800
)

// ParseTimestamp reads YYYY-MM-DD HH:MM:SS (T for the space too), with a fraction of a second, with Z or an offset
// (+hh:mm, +hhmm, +hh), or with bareDate a date alone, meaning midnight. It returns microseconds since
// 1970-01-01; digits past the sixth are cut. A time without a zone is taken as it stands.
func ParseTimestamp(b []byte, bareDate bool) (micros int64, ok bool) {
	days, ok := parseDate(b)
	if !ok {
		return 0, false
	}
	sec := days * 86400
	if len(b) == 10 {
		return sec * 1e6, bareDate
	}
	if len(b) < 19 || b[10] != ' ' && b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	h, m, s := two(b[11:]), two(b[14:]), two(b[17:])
	if h > 23 || m > 59 || s > 59 {
		return 0, false
	}
	sec += int64(h*3600 + m*60 + s)
	b = b[19:]
	frac := int64(0)
	if len(b) > 0 && b[0] == '.' {
		n := 1
		for scale := int64(100000); n < len(b) && b[n]-'0' <= 9; n++ {
			frac += int64(b[n]-'0') * scale
			scale /= 10
		}
		if n == 1 {
			return 0, false
		}
		b = b[n:]
	}
	offset, ok := parseOffset(b)
	if !ok {
		return 0, false
	}
	sec -= offset
	if sec < minSeconds || sec >= endSeconds {
		return 0, false
	}
	return sec*1e6 + frac, true
}

// parseOffset reads what follows the seconds: nothing, Z, +hh:mm, +hhmm or +hh. It returns seconds east of UTC.
func parseOffset(b []byte) (seconds int64, ok bool) {
	switch {
	case len(b) == 0, len(b) == 1 && b[0] == 'Z':
		return 0, true
	case len(b) < 3 || b[0] != '+' && b[0] != '-':
		return 0, false
	}
	h, m := two(b[1:]), 0
	switch {
	case len(b) == 6 && b[3] == ':':
		m = two(b[4:])
	case len(b) == 5:
		m = two(b[3:])
	case len(b) != 3:
		return 0, false
	}
	if h > 23 || m > 59 {
		return 0, false
	}
	seconds = int64(h*3600 + m*60)
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// parseDate reads YYYY-MM-DD at the front of b, and returns days since 1970-01-01.
func parseDate(b []byte) (days int64, ok bool) {
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	hi, lo, m, d := two(b), two(b[2:]), two(b[5:]), two(b[8:])
	if hi > 99 || lo > 99 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, false
	}
	y := hi*100 + lo
	if y < 1 || d > daysIn(y, m) {
		return 0, false
	}
	return daysBefore(y, m) + int64(d-1), true
}

// two reads two digits; a value over 99 when they are none.
func two(b []byte) int {
	t, u := b[0]-'0', b[1]-'0'
	if t > 9 || u > 9 {
		return 100
	}
	return int(t)*10 + int(u)
}

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysIn(y, m int) int {
	if m == 2 && leap(y) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
}

// daysBefore counts the days from 1970-01-01 to the first of a month of the years 1 to 9999.
func daysBefore(y, m int) int64 {
	n := y - 1
	days := n*365 + n/4 - n/100 + n/400 - 719162
	days += [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}[m-1]
	if m > 2 && leap(y) {
		days++
	}
	return int64(days)
}

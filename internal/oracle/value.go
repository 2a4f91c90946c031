package oracle

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var integer = regexp.MustCompile(`^-?[0-9]+\z`)

// ParseInt reads -?[0-9]+ within int64.
func ParseInt(s string) (int64, bool) {
	if !integer.MatchString(s) {
		return 0, false
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || !n.IsInt64() {
		return 0, false
	}
	return n.Int64(), true
}

const date = `^([0-9]{4})-([0-9]{2})-([0-9]{2})`

var (
	bareDate  = regexp.MustCompile(date + `\z`)
	timestamp = regexp.MustCompile(date +
		`[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)?\z`)
)

// ParseTimestamp gives the microseconds since 1970 of a date and time.
// An offset is ±HH:MM, ±HHMM or ±HH with HH up to 23 and MM up to 59; the moment it leads to
// is within the years 0001 to 9999, and so is the date as written.
func ParseTimestamp(s string) (micros int64, ok bool) {
	m := timestamp.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	day, ok := dayOf(m[1:4])
	if !ok {
		return 0, false
	}
	hour, minute, second := number(m[4]), number(m[5]), number(m[6])
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	t := day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(number((m[7] + "000000")[:6]))*time.Microsecond)
	if m[9] != "" {
		oh, om := number(m[10]), 0
		if m[11] != "" {
			om = number(m[11])
		}
		if oh > 23 || om > 59 {
			return 0, false
		}
		shift := time.Duration(oh)*time.Hour + time.Duration(om)*time.Minute
		if m[9] == "+" {
			shift = -shift
		}
		t = t.Add(shift)
		if t.Year() < 1 || t.Year() > 9999 {
			return 0, false
		}
	}
	return t.UnixMicro(), true
}

// ParseDate gives the midnight of a bare date.
func ParseDate(s string) (micros int64, ok bool) {
	m := bareDate.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	day, ok := dayOf(m[1:4])
	return day.UnixMicro(), ok
}

// dayOf reports false for a day that no calendar has, and for the year 0000.
func dayOf(ymd []string) (time.Time, bool) {
	y, m, d := number(ymd[0]), number(ymd[1]), number(ymd[2])
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return t, y >= 1 && t.Year() == y && int(t.Month()) == m && t.Day() == d
}

func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err) // the callers' patterns let digits alone through
	}
	return n
}

// FormatPlay writes a row of schema.RawStreams as a line listen_time,track_id,user_id.
func FormatPlay(r Row) string {
	at := time.UnixMicro(r.Values[2].(int64)).UTC().Format("2006-01-02 15:04:05.000000")
	return fmt.Sprintf("%s,\"%s\",%d\n", at, strings.ReplaceAll(r.Values[1].(string), `"`, `""`), r.Values[0])
}

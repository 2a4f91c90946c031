package oracle

import (
	"bytes"
	"slices"
	"strings"
)

// file writes rows in a way of its own: order of columns, extra columns, quoting, line ends.
type file struct {
	g       *generator
	buf     bytes.Buffer
	header  []string // as in the file
	order   []int    // for each column of the file, its place in a row, or -1 for an extra one
	eol     string
	quoting int // 0 where needed, 1 everywhere, 2 at random
	padding int
}

func (g *generator) newFile(columns []string, padding int) *file {
	f := &file{g: g, eol: pick(g, []string{"\n", "\n", "\r\n"}), quoting: g.IntN(3), padding: padding}
	for i := range columns {
		f.order = append(f.order, i)
	}
	if g.IntN(2) == 0 {
		g.Shuffle(len(f.order), func(i, j int) { f.order[i], f.order[j] = f.order[j], f.order[i] })
	}
	extra := g.IntN(3)
	if padding > 0 && extra == 0 {
		extra = 1
	}
	for range extra {
		f.order = slices.Insert(f.order, g.IntN(len(f.order)+1), -1)
	}
	for _, i := range f.order {
		if i >= 0 {
			f.header = append(f.header, columns[i])
		} else {
			f.header = append(f.header, pick(g, []string{"", "extra", "Track_ID", "user_id ", "wei,rd", "two\nlines", `"`}))
		}
	}
	if g.IntN(3) == 0 {
		f.buf.WriteString("\ufeff")
	}
	f.write(f.header)
	return f
}

// add writes a row whose values are in the order of the table, or breaks it.
func (f *file) add(row []string) {
	values := make([]string, len(f.order))
	for i, from := range f.order {
		if from >= 0 {
			values[i] = row[from]
		} else {
			values[i] = f.extra()
		}
	}
	if f.g.Float64() < f.g.hazard.Bad {
		f.spoil(values)
		return
	}
	f.write(values)
}

func (f *file) extra() string {
	s := pick(f.g, f.g.names)
	if f.padding > 0 && f.g.IntN(1000) == 0 {
		return strings.Repeat("just below\r\n 1 MiB", 57000)
	}
	for len(s) < f.padding {
		s += pick(f.g, []string{"pad", "\n", "\r\n", `"`, ",", "\r", "é", strings.Repeat("0123456789", 8)})
	}
	return s
}

func (f *file) write(values []string) { f.buf.WriteString(f.line(values) + f.eol) }

func (f *file) line(values []string) string {
	var out []string
	for _, v := range values {
		quote := f.quoting == 1 || f.quoting == 2 && f.g.IntN(2) == 0
		if quote || strings.ContainsAny(v, ",\"\r\n") {
			v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
		out = append(out, v)
	}
	return strings.Join(out, ",")
}

// spoil writes the row in a way that breaks a rule, or several.
func (f *file) spoil(values []string) {
	g := f.g
	at := func() int { return g.IntN(len(values)) }
	column := func(names ...string) int {
		var is []int
		for i, from := range f.order {
			if from >= 0 && slices.Contains(names, f.header[i]) {
				is = append(is, i)
			}
		}
		if is == nil {
			return at()
		}
		return pick(g, is)
	}
	switch g.IntN(14) {
	case 0: // missing key
		values[column("track_id", "user_id", "listen_time")] = ""
	case 1, 2:
		values[column("user_id", "popularity", "duration_ms")] = pick(g, badIntegers)
	case 3, 4:
		values[column("listen_time", "created_at")] = pick(g, badTimes)
	case 5:
		values = append(values, g.extraValue())
	case 6:
		values = values[:len(values)-1]
	case 7: // invalid UTF-8, also in a column that nobody reads
		values[at()] += pick(g, []string{"\xff", "\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "\x80"})
	case 8: // two at once
		values[at()] = "\xff"
		values = append(values, "x")
	case 9: // an empty line
		values = nil
	case 10: // a quote inside an unquoted field
		f.buf.WriteString("a" + pick(g, []string{`"`, `""`, `"x"`}) + f.line(values) + f.eol)
		return
	case 11: // something after a closing quote
		f.buf.WriteString(f.line(values) + "," + pick(g, []string{`"x"y`, `"x" `, "\"x\"\ry", "\"x\ny\"z", `"x" "y"`}) + f.eol)
		return
	case 12: // a field that does not close, or closes somewhere below
		f.buf.WriteString(f.line(values[:len(values)-1]) + `,"` + pick(g, []string{"", "x", "x,y", "\r"}) + f.eol)
		return
	case 13: // a field longer than 1 MiB; small lakes make do with one that stays open
		if f.padding > 0 {
			f.buf.WriteString(`"` + strings.Repeat(strings.Repeat("0123456789", 100)+"\n", MaxQuoted/1001+2) + `"` + f.eol)
			return
		}
		f.buf.WriteString(`"` + f.eol)
		return
	}
	f.write(values)
}

func (g *generator) extraValue() string { return pick(g, []string{"", "x", "1"}) }

// bytes ends the file; one in four lacks the last newline, and one has an open quote there.
func (f *file) bytes() []byte {
	b := f.buf.Bytes()
	switch f.g.IntN(8) {
	case 0, 1:
		b = bytes.TrimSuffix(b, []byte("\n")) // of CR LF the CR stays
	case 2:
		b = bytes.TrimSuffix(b, []byte(f.eol))
	case 3:
		if f.g.hazard.Bad > 0 {
			b = append(b, "\"open\n1,2\n"...)
		}
	}
	return b
}

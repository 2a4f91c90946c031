package csvio

import "bytes"

// cutter cuts one record into fields. This is the slow, complete way that every line may take.
type cutter struct {
	fields []span
}

// span is a field in the buffer, without its quotes.
type span struct {
	start, end int
	doubled    bool // the field holds doubled quotes
}

// text is the value of the field. Doubled quotes are undone in place, so it can be called once per record.
func (f *span) text(buf []byte) []byte {
	b := buf[f.start:f.end]
	if !f.doubled {
		return b
	}
	n := 0
	for i := 0; i < len(b); i++ {
		b[n] = b[i]
		n++
		if b[i] == '"' {
			i++
		}
	}
	f.end, f.doubled = f.start+n, false
	return b[:n]
}

type cutStatus uint8

const (
	cutOK       cutStatus = iota
	cutMore               // the buffer ends before the record does
	cutBadQuote           // next is the start of the next physical line
)

// cut cuts the record that begins at p, and returns where the next one begins. eof says that nothing follows buf.
func (c *cutter) cut(buf []byte, p int, eof bool) (next int, status cutStatus) {
	start := p
	c.fields = c.fields[:0]
	for {
		if p < len(buf) && buf[p] == '"' {
			end, doubled, st := closeQuote(buf, p, eof)
			if st != cutOK {
				return badQuote(buf, start, st, eof)
			}
			c.fields = append(c.fields, span{p + 1, end, doubled})
			p = end + 1
			if next, done := lineEnd(buf, p, eof); done {
				return next, cutOK
			}
			switch {
			case p >= len(buf), buf[p] == '\r' && p+1 >= len(buf):
				return start, cutMore
			case buf[p] != ',':
				return badQuote(buf, start, cutBadQuote, eof)
			}
			p++
			continue
		}
		from := p
		for p < len(buf) && !special[buf[p]] {
			p++
		}
		switch {
		case p >= len(buf) && !eof:
			return start, cutMore
		case p < len(buf) && buf[p] == '"':
			return badQuote(buf, start, cutBadQuote, eof)
		case p < len(buf) && buf[p] == ',':
			c.fields = append(c.fields, span{from, p, false})
			p++
			continue
		}
		end := p // at LF, or at the end of the file
		if end > from && buf[end-1] == '\r' {
			end--
		}
		c.fields = append(c.fields, span{from, end, false})
		if p < len(buf) {
			p++
		}
		return p, cutOK
	}
}

var special = [256]bool{',': true, '\n': true, '"': true}

// closeQuote finds the closing quote of the field whose opening quote is at p.
func closeQuote(buf []byte, p int, eof bool) (end int, doubled bool, status cutStatus) {
	limit := min(len(buf), p+MaxQuoted+1)
	for i := p + 1; i < limit; {
		k := bytes.IndexByte(buf[i:limit], '"')
		if k < 0 {
			break
		}
		i += k
		switch {
		case i+1 < len(buf) && buf[i+1] == '"':
			doubled = true
			i += 2
		case i+1 >= len(buf) && !eof:
			return 0, false, cutMore
		default:
			return i, doubled, cutOK
		}
	}
	if !eof && len(buf) <= p+MaxQuoted+1 {
		return 0, false, cutMore
	}
	return 0, false, cutBadQuote
}

// badQuote ends a record of bad quoting with its first physical line.
func badQuote(buf []byte, start int, status cutStatus, eof bool) (int, cutStatus) {
	if status == cutMore {
		return start, cutMore
	}
	if k := bytes.IndexByte(buf[start:], '\n'); k >= 0 {
		return start + k + 1, cutBadQuote
	}
	if !eof {
		return start, cutMore
	}
	return len(buf), cutBadQuote
}

// lineEnd says whether a line ends at p, and where the next begins.
func lineEnd(buf []byte, p int, eof bool) (next int, ok bool) {
	if p < len(buf) && buf[p] == '\r' {
		if p+1 >= len(buf) {
			return p + 1, eof
		}
		p++
		if buf[p] != '\n' {
			return 0, false
		}
	}
	if p >= len(buf) {
		return p, eof
	}
	return p + 1, buf[p] == '\n'
}

// trimLineEnd takes the line end off a record.
func trimLineEnd(b []byte, eof bool) []byte {
	n := len(b)
	if n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
	} else if !eof {
		return b
	}
	return bytes.TrimSuffix(b, []byte("\r"))
}

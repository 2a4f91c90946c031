package oracle

import "bytes"

// record is one row of a file.
type record struct {
	fields []string // unquoted
	raw    []byte   // the row's bytes without the line end
	size   int      // with it
}

// readRecord reads the row at the start of data, which is not empty.
// It reports false when the row has bad quoting.
func readRecord(data []byte) (record, bool) {
	var fields []string
	pos := 0
	for {
		var field string
		if pos < len(data) && data[pos] == '"' {
			after, text, ok := readQuoted(data, pos)
			if !ok {
				return record{}, false
			}
			pos, field = after, text
		} else {
			start := pos
			for pos < len(data) && data[pos] != ',' && lineEnd(data, pos) == 0 {
				if data[pos] == '"' {
					return record{}, false
				}
				pos++
			}
			field = string(data[start:pos])
		}
		fields = append(fields, field)
		if pos == len(data) {
			return record{fields, data[:pos], pos}, true
		}
		if n := lineEnd(data, pos); n > 0 {
			return record{fields, data[:pos], pos + n}, true
		}
		if data[pos] != ',' {
			return record{}, false // something follows a closing quote
		}
		pos++
	}
}

// readQuoted reads the quoted field that opens at pos, and gives the position after its
// closing quote.
func readQuoted(data []byte, pos int) (after int, text string, ok bool) {
	open := pos
	var b []byte
	pos++
	for pos < len(data) && pos-open <= MaxQuoted {
		if data[pos] != '"' {
			b = append(b, data[pos])
			pos++
			continue
		}
		if pos+1 < len(data) && data[pos+1] == '"' {
			b = append(b, '"')
			pos += 2
			continue
		}
		return pos + 1, string(b), true
	}
	return 0, "", false
}

// lineEnd is the length of the line end at pos, or 0 where there is none: LF, CR LF, or the CR
// that is the file's last byte. Any other CR is data.
func lineEnd(data []byte, pos int) int {
	rest := data[pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("\n")):
		return 1
	case bytes.HasPrefix(rest, []byte("\r\n")):
		return 2
	case len(rest) == 1 && rest[0] == '\r':
		return 1
	}
	return 0
}

// firstLine is the first physical line of data, whatever quotes stand in it.
func firstLine(data []byte) record {
	for pos := range data {
		if n := lineEnd(data, pos); n > 0 {
			return record{nil, data[:pos], pos + n}
		}
	}
	return record{nil, data, len(data)}
}

package oracle

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"mss/internal/schema"
)

// The reasons for which a row is rejected.
const (
	BadQuoting   = "bad_quoting"
	FieldCount   = "field_count"
	InvalidUTF8  = "invalid_utf8"
	MissingKey   = "missing_key"
	BadInteger   = "bad_integer"
	BadTimestamp = "bad_timestamp"
)

// MaxQuoted is how many bytes after its opening quote a quoted field closes at the latest.
const MaxQuoted = 1 << 20

// Row is a valid row: a value for each column of the table, in the table's order.
// A value is int64 (also for timestamps), string, or nil for NULL.
type Row struct {
	Line   int64 // physical line on which the row begins; the header is line 1
	Values []any
}

// Reject is a row that breaks a rule.
type Reject struct {
	Line   int64
	Column string // "" where the row as a whole is at fault
	Reason string
	Raw    []byte // without the line end; for BadQuoting the first physical line alone
}

// ReadCSV reads a whole file as section 2 of the contract says.
// The error tells that the header cannot serve, so that the file has no rows at all.
func ReadCSV(data []byte, table schema.Table) ([]Row, []Reject, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(data) == 0 {
		return nil, nil, nil
	}
	header, ok := readRecord(data)
	if !ok {
		return nil, nil, fmt.Errorf("%s: the header has bad quoting", table.Name)
	}
	at, err := findColumns(header.fields, table)
	if err != nil {
		return nil, nil, err
	}
	var rows []Row
	var rejects []Reject
	line := int64(1) + newlines(data[:header.size])
	data = data[header.size:]
	for len(data) > 0 {
		rec, ok := readRecord(data)
		if !ok {
			rec = firstLine(data)
			rejects = append(rejects, Reject{line, "", BadQuoting, rec.raw})
		} else if values, column, reason := convert(rec, len(header.fields), at, table); reason != "" {
			rejects = append(rejects, Reject{line, column, reason, rec.raw})
		} else {
			rows = append(rows, Row{line, values})
		}
		line += newlines(data[:rec.size])
		data = data[rec.size:]
	}
	return rows, rejects, nil
}

func newlines(b []byte) int64 { return int64(bytes.Count(b, []byte("\n"))) }

// findColumns gives the position in the header of each column of the table.
func findColumns(header []string, table schema.Table) ([]int, error) {
	at := make([]int, len(table.Columns))
	var missing []string
	for i, c := range table.Columns {
		at[i] = -1
		for j, name := range header {
			if name != c.Header() {
				continue
			}
			if at[i] >= 0 {
				return nil, fmt.Errorf("%s: column %s stands twice in the header", table.Name, name)
			}
			at[i] = j
		}
		if at[i] < 0 {
			missing = append(missing, c.Header())
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("%s: no column %s; found %s", table.Name,
			strings.Join(missing, ", "), strings.Join(header, ", "))
	}
	return at, nil
}

// convert applies the rules to a well-quoted row, in the order in which reasons count.
func convert(rec record, width int, at []int, table schema.Table) (values []any, column, reason string) {
	if len(rec.fields) != width {
		return nil, "", FieldCount
	}
	if !utf8.Valid(rec.raw) {
		return nil, "", InvalidUTF8
	}
	for i, c := range table.Columns {
		text := rec.fields[at[i]]
		if text == "" {
			if !c.Nullable {
				return nil, c.Name, MissingKey
			}
			values = append(values, nil)
			continue
		}
		switch c.Kind {
		case schema.String:
			values = append(values, text)
		case schema.Int64:
			n, ok := ParseInt(text)
			if !ok {
				return nil, c.Name, BadInteger
			}
			values = append(values, n)
		case schema.Timestamp:
			micros, ok := ParseTimestamp(text)
			if !ok && c.BareDate {
				micros, ok = ParseDate(text)
			}
			if !ok {
				return nil, c.Name, BadTimestamp
			}
			values = append(values, micros)
		}
	}
	return values, "", ""
}

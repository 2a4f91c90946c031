package csvio

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"mss/internal/schema"
)

// MaxQuoted is the size within which a quoted field must close, from its opening quote to its closing one.
const MaxQuoted = 1 << 20

var bom = []byte("\xef\xbb\xbf")

// Layout says where the columns of a table stand in a file.
type Layout struct {
	Table  schema.Table
	Empty  bool  // the file holds nothing at all
	Start  int64 // offset of the first byte behind the header
	Lines  int64 // physical lines of the header
	fields int   // of each row
	index  []int // for each column of the table its field
}

// HeaderError is a header that lacks what the table needs.
type HeaderError struct {
	Missing string   // the header of the column; "" when the header cannot be read at all
	Found   []string // the headers that are there
	Problem string
}

func (e *HeaderError) Error() string {
	if e.Missing == "" {
		return "header: " + e.Problem
	}
	return fmt.Sprintf("column %q %s; the columns found are %s", e.Missing, e.Problem, strings.Join(e.Found, ", "))
}

// ReadLayout reads the header at the beginning of a file: a *HeaderError when a column of the table is not in it.
func ReadLayout(r io.Reader, table schema.Table) (*Layout, error) {
	// A header is one record, and no sane one is longer than this.
	head := make([]byte, 4096)
	n, err := io.ReadFull(r, head)
	for err == nil && bytes.IndexByte(head[:n], '"') < 0 && bytes.IndexByte(head[:n], '\n') < 0 ||
		err == nil && bytes.IndexByte(head[:n], '"') >= 0 && n < 2*MaxQuoted {
		if n >= 4*MaxQuoted {
			return nil, &HeaderError{Problem: fmt.Sprintf("no line end within %d bytes; is this a CSV file?", n)}
		}
		head = append(head, make([]byte, n)...)
		var k int
		k, err = io.ReadFull(r, head[n:])
		n += k
	}
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	l := &Layout{Table: table}
	if bytes.HasPrefix(head, bom) {
		l.Start = int64(len(bom))
	}
	if len(head) == int(l.Start) {
		l.Empty = true
		return l, nil
	}
	var c cutter
	next, status := c.cut(head, int(l.Start), err != nil)
	raw := head[l.Start:next]
	if status != cutOK {
		return nil, &HeaderError{Problem: "bad quoting in the first line"}
	}
	if !utf8.Valid(raw) {
		return nil, &HeaderError{Problem: "the first line is not UTF-8"}
	}
	l.Start = int64(next)
	l.Lines = int64(bytes.Count(raw, []byte("\n")))
	found := make([]string, len(c.fields))
	for i, f := range c.fields {
		found[i] = string(f.text(head))
	}
	l.fields = len(found)
	for _, col := range table.Columns {
		at := -1
		for i, name := range found {
			if name != col.Header() {
				continue
			}
			if at >= 0 {
				return nil, &HeaderError{Missing: col.Header(), Found: found, Problem: "stands twice in the header"}
			}
			at = i
		}
		if at < 0 {
			return nil, &HeaderError{Missing: col.Header(), Found: found, Problem: "is missing"}
		}
		l.index = append(l.index, at)
	}
	return l, nil
}

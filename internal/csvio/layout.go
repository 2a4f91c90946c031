package csvio

import (
	"bytes"
	"fmt"
	"io"
	"slices"
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
	head, eof, err := readHead(r)
	if err != nil {
		return nil, err
	}
	l := &Layout{Table: table}
	if bytes.HasPrefix(head, bom) {
		l.Start = int64(len(bom))
	}
	if len(head) == int(l.Start) {
		l.Empty = true
		return l, nil
	}
	var c cutter
	next, status := c.cut(head, int(l.Start), eof)
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
	if err := l.find(found); err != nil {
		return nil, err
	}
	return l, nil
}

// readHead reads the beginning of a file, up to somewhere behind its first record; eof says that this is the whole file.
func readHead(r io.Reader) (head []byte, eof bool, err error) {
	head = make([]byte, 4096) // mostly enough
	n, err := io.ReadFull(r, head)
	for err == nil {
		quoted := bytes.IndexByte(head[:n], '"') >= 0
		if quoted && n >= 2*MaxQuoted || !quoted && bytes.IndexByte(head[:n], '\n') >= 0 {
			break
		}
		if n >= 4*MaxQuoted {
			return nil, false, &HeaderError{Problem: fmt.Sprintf("no line end within %d bytes; is this a CSV file?", n)}
		}
		head = append(head, make([]byte, n)...)
		var k int
		k, err = io.ReadFull(r, head[n:])
		n += k
	}
	switch err {
	case nil:
		return head[:n], false, nil
	case io.EOF, io.ErrUnexpectedEOF:
		return head[:n], true, nil
	}
	return nil, false, err
}

// find finds the columns of the table among the headers of the file.
func (l *Layout) find(headers []string) error {
	l.fields = len(headers)
	for _, col := range l.Table.Columns {
		at := slices.Index(headers, col.Header())
		if at < 0 {
			return &HeaderError{Missing: col.Header(), Found: headers, Problem: "is missing"}
		}
		if slices.Contains(headers[at+1:], col.Header()) {
			return &HeaderError{Missing: col.Header(), Found: headers, Problem: "stands twice in the header"}
		}
		l.index = append(l.index, at)
	}
	return nil
}

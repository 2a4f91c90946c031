package csvio

import (
	"bytes"
	"io"
	"unicode/utf8"

	"mss/internal/schema"
)

// Chunk says which records a Scanner takes: those that begin at Start or later, and before End (offsets in the file).
type Chunk struct {
	Start, End int64
	// Aligned says that a record begins at Start. Otherwise the reader must begin one byte before Start, and the
	// first record is taken to begin behind the first newline.
	Aligned bool
}

// ReadFrom is the offset at which the reader of this chunk begins.
func (c Chunk) ReadFrom() int64 {
	if c.Aligned {
		return c.Start
	}
	return c.Start - 1
}

// Scanner cuts a chunk into records. Rows and Plays build on it.
type Scanner struct {
	cutter
	w       window
	layout  *Layout
	end     int64 // offset in the file before which a record must begin
	p       int   // next record, in the window
	begun   bool
	start   int64 // offset of the first record
	lines   int64 // physical lines passed
	records int64
	rejects []Reject
	values  []Value
}

// Value is one field of a row, as its column's kind says. Text is valid until the next row.
type Value struct {
	Null bool
	Int  int64 // Int64, and Timestamp in microseconds
	Text []byte
}

// Reset begins a chunk, keeping the buffers. r gives the file from c.ReadFrom() on, to the end of the
// file: only as much of it is read as the chunk's last record needs.
func (s *Scanner) Reset(r io.Reader, l *Layout, c Chunk) {
	if len(s.values) != len(l.Table.Columns) {
		s.values = make([]Value, len(l.Table.Columns))
	}
	*s = Scanner{cutter: s.cutter, values: s.values, layout: l, end: c.End, start: -1, begun: c.Aligned,
		w: window{r: r, buf: s.w.buf, base: c.ReadFrom()}}
}

// Continue begins the next chunk of the same reader behind the last one: the records that begin before end.
func (s *Scanner) Continue(end int64) {
	s.end, s.start, s.lines, s.records, s.rejects = end, -1, 0, 0, nil
}

// Done says whether the file has ended: no record is left behind this chunk. It is known when the chunk is done.
func (s *Scanner) Done() bool { return s.w.eof && s.p >= s.w.n }

// Chunker is what Rows and Plays have in common: chunks one after the other, and what is known of each when it is done.
type Chunker interface {
	Reset(r io.Reader, l *Layout, c Chunk)
	Continue(end int64)
	Done() bool
	Start() int64
	End() int64
	Lines() int64
	Records() int64
	Rejects() []Reject
}

// Start is the offset where the chunk's first record was taken to begin; -1 when it holds none.
func (s *Scanner) Start() int64 { return s.start }

// End is the offset behind the last record: where the next chunk's first record begins. It is final when the chunk is done;
// -1 when it holds no record.
func (s *Scanner) End() int64 {
	if s.start < 0 {
		return -1
	}
	return s.w.base + int64(s.p)
}

// Lines counts the physical lines of the records passed.
func (s *Scanner) Lines() int64 { return s.lines }

// Records counts the records passed: rows and rejects.
func (s *Scanner) Records() int64 { return s.records }

// Rejects are the records that broke a rule. Their lines count from 0 at the chunk's first record.
func (s *Scanner) Rejects() []Reject { return s.rejects }

// begin finds the first record.
func (s *Scanner) begin() error {
	for !s.begun {
		if k := bytes.IndexByte(s.w.buf[s.p:s.w.n], '\n'); k >= 0 {
			s.p += k + 1
			s.begun = true
			break
		}
		s.p = s.w.n
		if s.w.eof || s.w.base+int64(s.p) >= s.end {
			s.begun = true
			s.end = 0
			break
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
	return nil
}

// Tail is how much is read behind the end of a chunk at first, for the rest of its last record.
const Tail = 64 << 10

func (s *Scanner) fill() error {
	size := int64(blockSize)
	if rest := s.end - s.w.base - int64(s.w.n); rest < blockSize-Tail {
		size = max(rest, 0) + Tail
	}
	err := s.w.fill(s.p, int(size))
	s.p = 0
	return err
}

// more makes sure that a record of this chunk begins at s.p, reading on where the window is used up. It is
// false at the end of the chunk.
func (s *Scanner) more() (bool, error) {
	if !s.begun {
		if err := s.begin(); err != nil {
			return false, err
		}
	}
	for s.p >= s.w.n && !s.w.eof && s.w.base+int64(s.p) < s.end {
		if err := s.fill(); err != nil {
			return false, err
		}
	}
	if s.p >= s.w.n || s.w.base+int64(s.p) >= s.end {
		return false, nil
	}
	if s.start < 0 {
		s.start = s.w.base + int64(s.p)
	}
	return true, nil
}

// record takes the record at s.p, the slow and complete way. ok is false when it was rejected. When the window ends before the
// record does, and mayFill is not set, it returns full and changes nothing.
func (s *Scanner) record(mayFill bool) (ok, full bool, err error) {
	next, status := s.cut(s.w.buf[:s.w.n], s.p, s.w.eof)
	for status == cutMore {
		if !mayFill {
			return false, true, nil
		}
		if err := s.fill(); err != nil {
			return false, false, err
		}
		next, status = s.cut(s.w.buf[:s.w.n], s.p, s.w.eof)
	}
	raw := s.w.buf[s.p:next]
	s.p = next
	line := s.lines
	s.records++
	s.lines += int64(bytes.Count(raw, newline))
	switch {
	case status == cutBadQuote:
		s.reject(line, "", BadQuoting, raw)
	case len(s.fields) != s.layout.fields:
		s.reject(line, "", FieldCount, raw)
	case !utf8.Valid(raw):
		s.reject(line, "", InvalidUTF8, raw)
	default:
		return s.convert(line, raw), false, nil
	}
	return false, false, nil
}

var newline = []byte("\n")

// convert checks the fields of a record against the table.
func (s *Scanner) convert(line int64, raw []byte) bool {
	for i, col := range s.layout.Table.Columns {
		f, v := s.fields[s.layout.index[i]], &s.values[i]
		*v = Value{Null: f.start == f.end}
		if v.Null {
			if !col.Nullable {
				s.reject(line, col.Header(), MissingKey, raw)
				return false
			}
			continue
		}
		if col.Kind == schema.String {
			continue
		}
		text, ok := s.w.buf[f.start:f.end], !f.doubled // no number holds a quote
		reason := BadInteger
		if col.Kind == schema.Timestamp {
			reason = BadTimestamp
			if ok {
				v.Int, ok = ParseTimestamp(text, col.BareDate)
			}
		} else if ok {
			v.Int, ok = ParseInt(text)
		}
		if !ok {
			s.reject(line, col.Header(), reason, raw)
			return false
		}
	}
	// Texts last: undoing doubled quotes changes the buffer, and a reject needs the raw record.
	for i, col := range s.layout.Table.Columns {
		if col.Kind == schema.String && !s.values[i].Null {
			s.values[i].Text = s.fields[s.layout.index[i]].text(s.w.buf)
		}
	}
	return true
}

func (s *Scanner) reject(line int64, column, reason string, raw []byte) {
	atEOF := s.w.eof && s.p == s.w.n
	s.rejects = append(s.rejects, Reject{Line: line, Column: column, Reason: reason,
		Raw: bytes.Clone(trimLineEnd(raw, atEOF))})
}

// Rows reads the rows of a table of any shape.
type Rows struct{ Scanner }

// Next moves to the next good row; its values are in the order of the table, and valid until the next call. It is false at
// the end of the chunk.
func (r *Rows) Next() (row []Value, ok bool, err error) {
	for {
		if ok, err := r.more(); !ok || err != nil {
			return nil, false, err
		}
		ok, _, err := r.record(true)
		if err != nil {
			return nil, false, err
		}
		if ok {
			return r.values, true, nil
		}
	}
}

//go:build readers

// Package readers is parquet-go's part of `make test-readers`; readers.py has the rest.
package readers

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// found is what parquet-go says of the files of one dataset.
type found struct {
	Schema  [][2]string `json:"schema"`
	Content [2]any      `json:"content"` // rows, and the sum of readers.py's digest
	Pages   *skipped    `json:"pages,omitempty"`
}

// skipped tells how many pages of the column genre there are, how many may hold one genre, and what was found in these.
type skipped struct {
	Pages    int `json:"pages"`
	Covering int `json:"covering"`
	Found    int `json:"found"`
}

// TestReaders reads the datasets that readers.py names. The build tag keeps it out of other runs, which could only skip it.
func TestReaders(t *testing.T) {
	text, err := os.ReadFile(os.Getenv("MSS_READERS_JOB"))
	if err != nil {
		t.Fatal(err)
	}
	var datasets map[string][]string
	if err := json.Unmarshal(text, &datasets); err != nil {
		t.Fatal(err)
	}
	out := map[string]found{}
	for name, files := range datasets {
		if out[name], err = dataset(files); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if text, err = json.Marshal(out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("MSS_READERS_OUT"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func dataset(files []string) (found, error) {
	var d found
	var rows int64
	var sum uint64
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return d, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return d, err
		}
		pf, err := parquet.OpenFile(f, info.Size())
		if err != nil {
			return d, fmt.Errorf("%s: %w", name, err)
		}
		s, err := schema(pf)
		if err != nil {
			return d, fmt.Errorf("%s: %w", name, err)
		}
		if d.Schema != nil && !slices.Equal(d.Schema, s) {
			return d, fmt.Errorf("%s: its schema is %v, that of the files before %v", name, s, d.Schema)
		}
		d.Schema = s
		for _, g := range pf.RowGroups() {
			n, h, err := content(g)
			if err != nil {
				return d, fmt.Errorf("%s: %w", name, err)
			}
			rows, sum = rows+n, sum+h
			if i := slices.IndexFunc(s, func(c [2]string) bool { return c[0] == "genre" }); i >= 0 {
				if d.Pages == nil {
					d.Pages = &skipped{}
				}
				if err := d.Pages.look(g.ColumnChunks()[i], "pop"); err != nil {
					return d, fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	d.Content = [2]any{rows, fmt.Sprintf("%016x", sum)}
	return d, nil
}

// kinds are parquet-go's names of the types that mss writes, and readers.py's.
var kinds = map[string]string{
	"INT64": "int64", "STRING": "string", "BOOLEAN": "bool", "DOUBLE": "double",
	"TIMESTAMP(isAdjustedToUTC=false,unit=MICROS)": "timestamp[us]",
}

func schema(f *parquet.File) (s [][2]string, err error) {
	for _, c := range f.Root().Columns() {
		kind, ok := kinds[c.Type().String()]
		if !ok {
			return nil, fmt.Errorf("column %s is %v", c.Name(), c.Type())
		}
		if c.Required() {
			kind += "!"
		}
		s = append(s, [2]string{c.Name(), kind})
	}
	return s, nil
}

// content is readers.py's digest, of one row group.
func content(g parquet.RowGroup) (n int64, sum uint64, err error) {
	rows := g.Rows()
	defer rows.Close()
	buf := make([]parquet.Row, 1024)
	var text, value []byte
	for {
		k, err := rows.ReadRows(buf)
		for _, row := range buf[:k] {
			text = text[:0]
			for _, v := range row {
				value = value[:0]
				switch {
				case v.IsNull():
					text = append(text, '-')
					continue
				case v.Kind() == parquet.ByteArray:
					value = append(value, v.ByteArray()...)
				case v.Kind() == parquet.Int64:
					value = strconv.AppendInt(value, v.Int64(), 10)
				case v.Kind() == parquet.Boolean:
					value = strconv.AppendBool(value, v.Boolean())
				case v.Kind() == parquet.Double:
					value = strconv.AppendInt(value, int64(math.Float64bits(v.Double())), 10)
				default:
					return 0, 0, fmt.Errorf("a value of kind %v", v.Kind())
				}
				text = strconv.AppendInt(text, int64(len(value)), 10)
				text = append(append(text, ':'), value...)
			}
			h := sha256.Sum256(text)
			sum += binary.BigEndian.Uint64(h[:8])
			n++
		}
		if errors.Is(err, io.EOF) {
			return n, sum, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

// look reads the pages whose bounds admit the genre, seeking past the others.
func (s *skipped) look(c parquet.ColumnChunk, genre string) error {
	index, err := c.ColumnIndex()
	if err != nil {
		return err
	}
	offsets, err := c.OffsetIndex()
	if err != nil {
		return err
	}
	if index.NumPages() != offsets.NumPages() {
		return fmt.Errorf("%d pages in the column index, %d in the offset index", index.NumPages(), offsets.NumPages())
	}
	pages := c.Pages()
	defer pages.Close()
	s.Pages += index.NumPages()
	for i := range index.NumPages() {
		if index.NullPage(i) || bytes.Compare(index.MinValue(i).ByteArray(), []byte(genre)) > 0 ||
			bytes.Compare(index.MaxValue(i).ByteArray(), []byte(genre)) < 0 {
			continue
		}
		s.Covering++
		if err := pages.SeekToRow(offsets.FirstRowIndex(i)); err != nil {
			return err
		}
		page, err := pages.ReadPage()
		if err != nil {
			return err
		}
		values := make([]parquet.Value, page.NumValues())
		if _, err := page.Values().ReadValues(values); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		for _, v := range values {
			if !v.IsNull() && string(v.ByteArray()) == genre {
				s.Found++
			}
		}
		parquet.Release(page)
	}
	return nil
}

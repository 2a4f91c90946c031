package parquetio

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/rle"

	"mss/internal/schema"
)

// testTable has a column of every kind, nullable where ours are.
var testTable = schema.Table{Name: "test", Columns: []schema.Column{
	{Name: "id", Kind: schema.Int64},
	{Name: "name", Kind: schema.String, Nullable: true},
	{Name: "at", Kind: schema.Timestamp, Nullable: true},
	{Name: "score", Kind: schema.Double, Nullable: true},
	{Name: "flag", Kind: schema.Bool},
}}

// randomRows makes rows of testTable: int64 (timestamps too), string, float64, bool, or nil.
func randomRows(r *rand.Rand, n int) [][]any {
	rows := make([][]any, n)
	maybe := func(v any) any {
		if r.IntN(5) == 0 {
			return nil
		}
		return v
	}
	run := 0
	for i := range rows {
		if i > 0 && run > 0 {
			rows[i] = slices.Clone(rows[i-1])
			run--
			continue
		}
		run = r.IntN(30) * r.IntN(2)
		rows[i] = []any{r.Int64N(1000) - 500, maybe(strings.Repeat("é花x", r.IntN(3)) + fmt.Sprint(r.IntN(200))),
			maybe((r.Int64N(100) - 50) * 86400e6), maybe(float64(r.IntN(7)) / 3), r.IntN(2) == 0}
	}
	return rows
}

// writeRows writes rows of testTable.
func writeRows(t testing.TB, rows [][]any) []byte {
	t.Helper()
	var cols []ColumnData
	for i, c := range testTable.Columns {
		enc := NewColumnEncoder(c.Kind)
		codes := make([]uint32, len(rows))
		for k, row := range rows {
			switch v := row[i].(type) {
			case nil:
				codes[k] = Null
			case int64:
				codes[k] = enc.Int(v)
			case string:
				codes[k] = enc.Text(v)
			case float64:
				codes[k] = enc.Double(v)
			case bool:
				if v {
					codes[k] = 1
				}
			}
		}
		cols = append(cols, enc.Finish(codes))
	}
	var b bytes.Buffer
	if err := WriteTable(&b, testTable, cols, 2); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readBatches reads a file by BatchReader, as rows.
func readBatches(data []byte, columns []schema.Column) ([][]any, error) {
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	rows := [][]any{}
	var b BatchReader
	for rg := range f.NumRowGroups() {
		if err := b.Reset(f, rg, columns); err != nil {
			return nil, err
		}
		for {
			rec, err := b.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			for i := range int(rec.NumRows()) {
				var row []any
				for _, col := range rec.Columns() {
					row = append(row, valueAt(col, i))
				}
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

func valueAt(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return valueAt(a.Dictionary(), a.GetValueIndex(i))
	case *array.Int64:
		return a.Value(i)
	case *array.Timestamp:
		return int64(a.Value(i))
	case *array.String:
		return strings.Clone(a.Value(i))
	case *array.Float64:
		return a.Value(i)
	case *array.Boolean:
		return a.Value(i)
	}
	return fmt.Errorf("an array of %s", a.DataType())
}

// readTable reads a file by ReadTable, as rows.
func readTable(data []byte, columns []schema.Column) ([][]any, error) {
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	cols, err := ReadTable(f, columns)
	if err != nil {
		return nil, err
	}
	rows := make([][]any, f.NumRows())
	for i := range rows {
		for k, c := range cols {
			var v any
			if code := c.Codes[i]; code != Null {
				switch columns[k].Kind {
				case schema.Bool:
					v = code == 1
				case schema.String:
					v = string(c.Dict.Text(code))
				case schema.Double:
					v = parquet.DoubleValue(0).Double()
				default:
					v = c.Dict.Int(code)
				}
			}
			rows[i] = append(rows[i], v)
		}
	}
	return rows, nil
}

// readByLibrary reads a file by parquet-go.
func readByLibrary(t *testing.T, data []byte) [][]any {
	t.Helper()
	rows := [][]any{}
	r := parquet.NewReader(bytes.NewReader(data))
	buf := make([]parquet.Row, 100)
	for {
		n, err := r.ReadRows(buf)
		for _, row := range buf[:n] {
			var out []any
			for i, v := range row {
				switch {
				case v.IsNull():
					out = append(out, nil)
				case testTable.Columns[i].Kind == schema.String:
					out = append(out, string(v.ByteArray()))
				case testTable.Columns[i].Kind == schema.Double:
					out = append(out, v.Double())
				case testTable.Columns[i].Kind == schema.Bool:
					out = append(out, v.Boolean())
				default:
					out = append(out, v.Int64())
				}
			}
			rows = append(rows, out)
		}
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 7, 8, 9, 1000, PageRows, PageRows + 1, 3*PageRows - 5} {
		want := randomRows(r, n)
		data := writeRows(t, want)
		if again := writeRows(t, want); !bytes.Equal(data, again) {
			t.Fatalf("%d rows: two writings differ", n)
		}
		if got := readByLibrary(t, data); !reflect.DeepEqual(got, want) {
			t.Fatalf("%d rows: parquet-go reads other values", n)
		}
		got, err := readBatches(data, testTable.Columns)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%d rows: BatchReader reads other values: %v", n, err)
		}
		columns := []schema.Column{testTable.Columns[4], testTable.Columns[1], testTable.Columns[0], testTable.Columns[2]}
		got, err = readTable(data, columns)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if w := want[i]; !reflect.DeepEqual(got[i], []any{w[4], w[1], w[0], w[2]}) {
				t.Fatalf("%d rows: ReadTable reads %v, want %v", n, got[i], w)
			}
		}
	}
}

// TestStatistics reads min, max and nulls as a library sees them, of the file and of each page.
func TestStatistics(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(2, 1)), 2*PageRows+100)
	data := writeRows(t, rows)
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for col := range 3 {
		chunk := f.RowGroups()[0].ColumnChunks()[col]
		idx, err := chunk.ColumnIndex()
		if err != nil {
			t.Fatal(err)
		}
		if idx.NumPages() != 3 {
			t.Fatalf("%d pages", idx.NumPages())
		}
		for page := range 3 {
			part := rows[page*PageRows : min((page+1)*PageRows, len(rows))]
			nulls := int64(0)
			var lo, hi any
			for _, row := range part {
				v := row[col]
				if v == nil {
					nulls++
					continue
				}
				if lo == nil || less(v, lo) {
					lo = v
				}
				if hi == nil || less(hi, v) {
					hi = v
				}
			}
			if idx.NullCount(page) != nulls || fmt.Sprint(idx.MinValue(page)) != fmt.Sprint(lo) || fmt.Sprint(idx.MaxValue(page)) != fmt.Sprint(hi) {
				t.Errorf("column %d page %d: %d nulls, %v to %v; want %d, %v to %v", col, page,
					idx.NullCount(page), idx.MinValue(page), idx.MaxValue(page), nulls, lo, hi)
			}
		}
	}
}

func less(a, b any) bool {
	if s, ok := a.(string); ok {
		return s < b.(string)
	}
	return a.(int64) < b.(int64)
}

// FuzzHybrid writes runs, and reads them by our decoder and by parquet-go's.
func FuzzHybrid(f *testing.F) {
	f.Add([]byte{1, 200, 3, 4, 0, 9, 255, 255, 8, 8, 7, 1}, uint8(3))
	f.Fuzz(func(t *testing.T, script []byte, width uint8) {
		w := int(width)%20 + 1
		var want []int32
		var runs []CodeRun
		for i := 0; i+1 < len(script); i += 2 {
			r := CodeRun{Code: uint32(script[i]) * 0x9E3779B1 >> (32 - w), N: int(script[i+1])}
			runs = append(runs, r)
			for range r.N {
				want = append(want, int32(r.Code))
			}
		}
		var h hybrid
		h.reset([]byte{42}, w, len(want))
		for _, r := range runs {
			h.run(r.Code, r.N)
		}
		enc := h.finish()
		if enc[0] != 42 {
			t.Fatal("it wrote before its beginning")
		}
		codes := make([]uint32, len(want))
		for i, v := range want {
			codes[i] = uint32(v)
		}
		for _, b := range [][]byte{enc[1:], packRun(nil, codes, w)} {
			got := make([]int32, len(want))
			greatest, err := decodeHybrid(got, append(slices.Clone(b), make([]byte, 8)...)[:len(b)], w)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("width %d: got %v, want %v: %v", w, got, want, err)
			}
			if len(want) > 0 && greatest != slices.Max(want) {
				t.Fatalf("greatest %d", greatest)
			}
			lib, err := (&rle.Encoding{BitWidth: w}).DecodeInt32(nil, b)
			if err != nil || len(lib) < len(want) || !slices.Equal(lib[:len(want)], want) {
				t.Fatalf("width %d: parquet-go reads %v, want %v: %v", w, lib, want, err)
			}
		}
	})
}

// FuzzDamaged changes bytes of a file: it must read as before, or give an error, and never panic. The checksums of
// the pages see to that.
func FuzzDamaged(f *testing.F) {
	want := randomRows(rand.New(rand.NewPCG(3, 1)), 300)
	data := writeRows(f, want)
	for _, at := range []int{0, 5, 40, len(data) / 2, len(data) - 200, len(data) - 6} {
		f.Add(uint16(at), byte(0x55), uint16(len(data)))
	}
	f.Fuzz(func(t *testing.T, at uint16, xor byte, size uint16) {
		b := slices.Clone(data)
		b[int(at)%len(b)] ^= xor
		b = b[:min(int(size), len(b))]
		_, _ = readTable(b, testTable.Columns)
		_, _ = readBatches(b, testTable.Columns)
	})
}

package parquetio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"mss/internal/schema"
)

// runTable has a column for each way in which a RunReader reads.
var runTable = schema.Table{Name: "test", Columns: []schema.Column{
	{Name: "user", Kind: schema.Int64},
	{Name: "at", Kind: schema.Timestamp},
	{Name: "name", Kind: schema.String, Nullable: true},
	{Name: "size", Kind: schema.Int64, Nullable: true},
	{Name: "flag", Kind: schema.Bool},
}}

var runColumns = func() (cols []RunColumn) {
	for i, c := range runTable.Columns {
		cols = append(cols, RunColumn{Column: c, ByRow: i < 2, Own: i == 1})
	}
	return cols
}()

// runRows makes rows of runTable; some in runs, some not.
func runRows(r *rand.Rand, n int) [][]any {
	maybe := func(v any) any {
		if r.IntN(4) == 0 {
			return nil
		}
		return v
	}
	length := []int{1, 3, 40, 3000}[r.IntN(4)]
	rows := make([][]any, n)
	for i := range rows {
		if i > 0 && r.IntN(length) > 0 {
			rows[i] = slices.Clone(rows[i-1])
		} else {
			rows[i] = []any{nil, nil, maybe(fmt.Sprint("n", r.IntN(300))), maybe(r.Int64N(100)), r.IntN(2) == 0}
		}
		rows[i][0], rows[i][1] = r.Int64N(5000)-100, r.Int64N(1000)*1e6
	}
	return rows
}

// writeRunRows writes rows in row groups of at most groupRows; the timestamps of every other one plain.
func writeRunRows(t testing.TB, rows [][]any, groupRows int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, runTable)
	for k := 0; len(rows) > 0; k++ {
		part := rows[:min(groupRows, len(rows))]
		rows = rows[len(part):]
		g := NewGroup(runTable)
		g.Reset(len(part))
		for i, c := range runTable.Columns {
			enc := NewColumnEncoder(c.Kind)
			codes := make([]uint32, len(part))
			var ints []int64
			for j, row := range part {
				switch v := row[i].(type) {
				case nil:
					codes[j] = Null
				case int64:
					codes[j] = enc.Int(v)
					ints = append(ints, v)
				case string:
					codes[j] = enc.Text(v)
				case bool:
					if v {
						codes[j] = 1
					}
				}
			}
			plain := i == 1 && k%2 == 0
			data := enc.Finish(codes)
			if !plain && c.Kind != schema.Bool {
				g.Dictionary(i, data.Dict, nil)
			}
			for at := 0; at < len(part); at += PageRows {
				end := min(at+PageRows, len(part))
				var runs []CodeRun
				for _, code := range data.Codes[at:end] {
					runs = append(runs, CodeRun{code, 1})
				}
				switch {
				case plain:
					g.IntPage(i, ints[at:end])
				case c.Kind == schema.Bool:
					g.BoolPage(i, runs)
				case i < 2:
					g.CodePage(i, data.Codes[at:end], 0)
				default:
					merged := runs[:1]
					for _, r := range runs[1:] {
						if last := &merged[len(merged)-1]; last.Code == r.Code {
							last.N++
						} else {
							merged = append(merged, r)
						}
					}
					g.RunPage(i, merged)
				}
			}
		}
		if err := w.Append(g); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var errOtherWay = errors.New("not for a RunReader")

// readRuns reads a file by RunReader, as rows.
func readRuns(data []byte, columns []RunColumn, cache *DictCache) ([][]any, error) {
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	rows := [][]any{}
	var r RunReader
	for rg := range f.NumRowGroups() {
		var chunks RunChunks
		ok, err := chunks.Load(f, rg, columns)
		if ok && err == nil {
			ok, err = r.Reset(&chunks, cache)
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, errOtherWay
		}
		for {
			n, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			from := len(rows)
			for range n {
				rows = append(rows, make([]any, len(columns)))
			}
			for i, c := range columns {
				value := func(code int32) any {
					switch {
					case code < 0:
						return nil
					case c.Kind == schema.Bool:
						return code == 1
					case c.Kind == schema.String:
						return string(r.Dict(i).Text(uint32(code)))
					}
					return r.Dict(i).AppendInts(nil)[code]
				}
				if c.ByRow {
					for k := range n {
						if codes := r.Codes(i); codes != nil {
							rows[from+k][i] = value(codes[k])
						} else {
							rows[from+k][i] = r.Ints(i)[k]
						}
					}
					continue
				}
				at := 0
				for k, code := range r.Runs(i).Codes {
					for v := value(code); at < int(r.Runs(i).Ends[k]); at++ {
						rows[from+at][i] = v
					}
				}
				if at != n {
					return nil, fmt.Errorf("column %s has %d rows of %d", c.Name, at, n)
				}
			}
		}
	}
	return rows, nil
}

// TestRunReader reads files both ways.
func TestRunReader(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	var cache DictCache
	for i, n := range []int{0, 1, 7, 8, 100, 1000, 1001, 5000, PageRows, PageRows + 1, 2*PageRows + 77} {
		want := runRows(r, n)
		data := writeRunRows(t, want, []int{n + 1, 999 + n/5}[i%2])
		got, err := readRuns(data, runColumns, &cache)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%d rows: RunReader reads other values: %v", n, err)
		}
		if got, err = readBatches(data, runTable.Columns); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%d rows: BatchReader reads other values: %v", n, err)
		}
	}
}

// TestRunReaderSharesDictionaries reads row groups whose dictionaries differ at their ends, or not at all; some that Snappy can compress,
// and some that it cannot.
func TestRunReaderSharesDictionaries(t *testing.T) {
	t.Run("words", func(t *testing.T) {
		testSharedDictionaries(t, func(i int) string { return fmt.Sprintf("name %05d", i) })
	})
	r := rand.New(rand.NewPCG(9, 1))
	t.Run("ids", func(t *testing.T) {
		testSharedDictionaries(t, func(i int) string { return fmt.Sprintf("%05d%v", i, r.Perm(9)) })
	})
	t.Run("random ids", func(t *testing.T) {
		testSharedDictionaries(t, func(i int) string {
			b := []byte{byte(i >> 8), byte(i)}
			for range 30 {
				b = append(b, byte(r.Uint32()))
			}
			return string(b)
		})
	})
}

func testSharedDictionaries(t *testing.T, value func(int) string) {
	column := schema.Column{Name: "name", Kind: schema.String, Nullable: true}
	table := schema.Table{Name: "test", Columns: []schema.Column{column}}
	front := NewDict(schema.String)
	for i := range 3000 {
		front.AddString(value(i))
	}
	front.Compress()
	var b bytes.Buffer
	w := NewWriter(&b, table)
	extensions := [][]string{nil, {"x", "y"}, {"x", "z", "w"}, nil, {"q"}, {"q"}}
	for _, more := range extensions {
		ext := NewDict(schema.String)
		for _, v := range more {
			ext.AddString(v)
		}
		g := NewGroup(table)
		g.Reset(3000 + len(more))
		g.Dictionary(0, front, ext)
		var runs []CodeRun
		for i := range 3000 + len(more) {
			runs = append(runs, CodeRun{uint32(i), 1})
		}
		g.RunPage(0, runs)
		if err := w.Append(g); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	lib := parquet.NewReader(bytes.NewReader(b.Bytes()))
	row := make([]parquet.Row, 1)
	for _, more := range extensions {
		for i := range 3000 + len(more) {
			if n, err := lib.ReadRows(row); n != 1 {
				t.Fatal(err)
			}
			want := ""
			if i < 3000 {
				want = string(front.Text(uint32(i)))
			} else {
				want = more[i-3000]
			}
			if got := string(row[0][0].ByteArray()); got != want {
				t.Fatalf("parquet-go reads %q, want %q", got, want)
			}
		}
	}
	f, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var cache DictCache
	var readers [2]RunReader
	var dicts []*Dictionary
	for rg, more := range extensions {
		r := &readers[rg%2]
		var chunks RunChunks
		if ok, err := chunks.Load(f, rg, []RunColumn{{Column: column}}); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if ok, err := r.Reset(&chunks, &cache); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		d := r.Dict(0)
		dicts = append(dicts, d)
		if d.Len() != 3000+len(more) {
			t.Fatalf("row group %d: %d values", rg, d.Len())
		}
		for i := range 3000 {
			if string(d.Text(uint32(i))) != string(front.Text(uint32(i))) {
				t.Fatalf("row group %d: value %d is %s", rg, i, d.Text(uint32(i)))
			}
		}
		for i, v := range more {
			if string(d.Text(uint32(3000+i))) != v {
				t.Fatalf("row group %d: value %d is %s, want %s", rg, 3000+i, d.Text(uint32(3000+i)), v)
			}
		}
	}
	for _, c := range []struct{ a, b, common int }{{0, 1, 3000}, {1, 0, 3000}, {1, 2, 3000}, {0, 3, 3000}, {4, 5, 3000}, {0, 0, 3000}} {
		if n := dicts[c.a].Common(dicts[c.b]); n != c.common {
			t.Errorf("%d and %d have %d values in common, want %d", c.a, c.b, n, c.common)
		}
	}
	if dicts[0] != dicts[3] {
		t.Error("equal dictionaries are not the same")
	}
	if n := dicts[0].Common(nil); n != 0 {
		t.Errorf("%d values in common with nothing", n)
	}
}

// TestRunReaderLeavesOtherFiles checks that files which are not mss's are left to BatchReader.
func TestRunReaderLeavesOtherFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		columns := []RunColumn{{Column: schema.Column{Name: "user_id", Kind: schema.Int64}, ByRow: true}, {Column: schema.Column{Name: "is_primary", Kind: schema.Bool}}}
		if _, err := readRuns(data, columns, &DictCache{}); err != errOtherWay {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Of ours, too, when they are not as they should be: a null where there must be none, or a column of another kind.
	data := writeRunRows(t, runRows(rand.New(rand.NewPCG(8, 1)), 500), 1000)
	strict := slices.Clone(runColumns)
	strict[2].Nullable = false
	if _, err := readRuns(data, strict, &DictCache{}); err == nil || errors.Is(err, errOtherWay) {
		t.Errorf("a null in a column that must have none: %v", err)
	}
	strict = slices.Clone(runColumns)
	strict[2].ByRow = true
	if _, err := readRuns(data, strict, &DictCache{}); err != errOtherWay {
		t.Errorf("a text by rows: %v", err)
	}
}

// FuzzDamagedRuns changes bytes of a file: it must read as BatchReader reads it, or give an error, and never panic.
func FuzzDamagedRuns(f *testing.F) {
	want := runRows(rand.New(rand.NewPCG(7, 1)), 700)
	data := writeRunRows(f, want, 400)
	for _, at := range []int{0, 5, 40, len(data) / 2, len(data) - 200, len(data) - 6} {
		f.Add(uint16(at), byte(0x55), uint16(len(data)))
	}
	f.Fuzz(func(t *testing.T, at uint16, xor byte, size uint16) {
		b := slices.Clone(data)
		b[int(at)%len(b)] ^= xor
		b = b[:min(int(size), len(b))]
		got, err := readRuns(b, runColumns, &DictCache{})
		if slow, serr := readBatches(b, runTable.Columns); err == nil && serr == nil && !reflect.DeepEqual(got, slow) {
			t.Fatal("the two ways read other values")
		}
	})
}

// FuzzDamagedPage feeds the decoders of pages with anything.
func FuzzDamagedPage(f *testing.F) {
	f.Add([]byte{3, 200, 1, 7, 9, 9, 9, 1, 2}, uint8(3), uint16(100))
	f.Add([]byte{20, 1, 2, 3, 4, 20, 4, 3, 2, 1}, uint8(31), uint16(20))
	f.Add([]byte{20, 1, 2, 3, 20, 4, 3, 2}, uint8(24), uint16(20))
	f.Add([]byte{20, 1, 2, 20, 4, 3}, uint8(9), uint16(20))
	f.Fuzz(func(t *testing.T, body []byte, width uint8, rows uint16) {
		n := int(rows)
		padded := append(slices.Clone(body), make([]byte, padding)...)[:len(body)]
		codes := make([]int32, n, n+8)
		err := decodeHybridCodes(codes, padded, int(width%34))
		var runs Runs
		_, rerr := decodeHybridRuns(&runs, nil, padded, int(width%34), 0, n)
		slow := make([]int32, n)
		_, serr := decodeHybrid(slow, padded, int(width%34))
		if width%34 == 0 {
			return // needs no bytes, and is never written
		}
		if (err == nil) != (rerr == nil) || err == nil && serr != nil {
			t.Fatalf("codes: %v, runs: %v, slow: %v", err, rerr, serr)
		}
		if err != nil {
			return
		}
		at := 0
		for k, code := range runs.Codes {
			for ; at < int(runs.Ends[k]); at++ {
				if codes[at] != code || slow[at] != code {
					t.Fatalf("row %d: runs %d, codes %d, slow %d", at, code, codes[at], slow[at])
				}
			}
		}
		if at != n {
			t.Fatalf("runs of %d rows, want %d", at, n)
		}
		header, k, ok := parseHeader(body)
		if ok && (k > len(body) || header.size < 0) {
			t.Fatal("a header longer than its bytes")
		}
		var present Runs
		present.addBits(append(slices.Clone(body), make([]byte, padding)...)[:len(body)], min(n, 8*len(body)))
	})
}

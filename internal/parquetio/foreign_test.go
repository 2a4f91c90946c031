package parquetio

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"mss/internal/schema"
)

// foreignRow is a row of testTable, as parquet-go writes it.
type foreignRow struct {
	ID    int64     `parquet:"id,delta"`
	Name  *string   `parquet:"name,dict"`
	At    *int64    `parquet:"at,timestamp(millisecond)"`
	Score *float64  `parquet:"score"`
	Flag  bool      `parquet:"flag"`
	Other time.Time `parquet:"other"`
	Long  string    `parquet:"long,delta"`
}

// TestForeignWriter reads files that parquet-go wrote, in its encodings, with every codec and both versions of pages.
func TestForeignWriter(t *testing.T) {
	want := randomRows(rand.New(rand.NewPCG(4, 1)), 5000)
	long := schema.Column{Name: "long", Kind: schema.String}
	rows := make([]foreignRow, len(want))
	for i, w := range want {
		rows[i] = foreignRow{ID: w[0].(int64), Flag: w[4].(bool), Long: strings.Repeat("y", i%7)}
		if v, ok := w[1].(string); ok {
			rows[i].Name = &v
		}
		if v, ok := w[2].(int64); ok {
			ms := v / 1000
			rows[i].At = &ms
		}
		if v, ok := w[3].(float64); ok {
			rows[i].Score = &v
		}
	}
	for _, version := range []int{1, 2} {
		for _, codec := range []parquet.WriterOption{parquet.Compression(&parquet.Uncompressed), parquet.Compression(&parquet.Snappy),
			parquet.Compression(&parquet.Gzip), parquet.Compression(&parquet.Zstd), parquet.Compression(&parquet.Brotli), parquet.Compression(&parquet.Lz4Raw)} {
			var b bytes.Buffer
			w := parquet.NewGenericWriter[foreignRow](&b, codec, parquet.DataPageVersion(version), parquet.PageBufferSize(3000), parquet.MaxRowsPerRowGroup(1777))
			if _, err := w.Write(rows); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := readBatches(b.Bytes(), append(testTable.Columns[:5:5], long))
			if err != nil || len(got) != len(want) {
				t.Fatalf("V%d: %d rows, %v", version, len(got), err)
			}
			for i := range got {
				if !reflect.DeepEqual(got[i], append(want[i][:5:5], rows[i].Long)) {
					t.Fatalf("V%d row %d: got %v, want %v", version, i, got[i], want[i])
				}
			}
		}
	}
}

// TestForeignFiles reads files that pyarrow and DuckDB wrote (testdata/make.py), one of them with Spark's INT96 timestamps.
func TestForeignFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(names) < 6 {
		t.Fatalf("%d files: %v", len(names), err)
	}
	columns := []schema.Column{{Name: "user_id", Kind: schema.Int64}, {Name: "track_id", Kind: schema.String},
		{Name: "listen_time", Kind: schema.Timestamp}, {Name: "popularity", Kind: schema.Int64, Nullable: true},
		{Name: "genre", Kind: schema.String, Nullable: true}, {Name: "is_primary", Kind: schema.Bool}}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readBatches(data, columns)
		if err != nil || len(got) != 100 {
			t.Errorf("%s: %d rows, %v", name, len(got), err)
			continue
		}
		for i, row := range got {
			want := []any{int64(i*7 - 50), "track-" + strings.Repeat("é", i%3), int64(i)*3600e6 - 50*86400e6 + int64(i)*1000, any(nil), any(nil), i%2 == 0}
			if i%3 != 0 {
				want[3] = int64(i % 11)
			}
			if i%4 != 0 {
				want[4] = []string{"jazz", "pop, \"rock\"", "花"}[i%3]
			}
			if !reflect.DeepEqual(row, want) {
				t.Fatalf("%s row %d: got %v, want %v", name, i, row, want)
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	data := writeRows(t, randomRows(rand.New(rand.NewPCG(5, 1)), 100))
	for _, c := range []struct {
		data []byte
		col  schema.Column
		want string
	}{
		{nil, testTable.Columns[0], "it has 0 bytes"},
		{[]byte("user_id,track_id,listen_time\n"), testTable.Columns[0], "does not end with PAR1"},
		{data[:len(data)-1], testTable.Columns[0], "does not end with PAR1"},
		{data, schema.Column{Name: "genre", Kind: schema.String}, "column genre is missing; the columns found are id, name, at, score, flag"},
		{data, schema.Column{Name: "name", Kind: schema.Int64}, "column name is stored as BYTE_ARRAY"},
		{data, schema.Column{Name: "name", Kind: schema.String}, "holds a null"},
	} {
		_, err := readBatches(c.data, []schema.Column{c.col})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

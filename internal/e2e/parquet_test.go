package e2e

import (
	"bytes"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go"

	"mss/internal/schema"
)

// rowsOf reads a Parquet object with a library that the program does not read with itself, and wants it
// to have exactly the table's columns, in their order.
func rowsOf(t *testing.T, name string, data []byte, table schema.Table) (out [][]any) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	fields := f.Root().Columns()
	if len(fields) != len(table.Columns) {
		t.Fatalf("%s has %d columns, want those of %s", name, len(fields), table.Name)
	}
	for i, c := range table.Columns {
		if fields[i].Name() != c.Name {
			t.Fatalf("%s: column %d is %s, want %s", name, i, fields[i].Name(), c.Name)
		}
	}
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buf := make([]parquet.Row, 512)
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				out = append(out, values(t, name, row, table))
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if int64(len(out)) != f.NumRows() {
		t.Fatalf("%s has %d rows, its footer says %d", name, len(out), f.NumRows())
	}
	return out
}

func values(t *testing.T, name string, row parquet.Row, table schema.Table) []any {
	t.Helper()
	out := make([]any, len(table.Columns))
	for i, c := range table.Columns {
		v := row[i]
		switch {
		case v.IsNull():
		case c.Kind == schema.Int64 || c.Kind == schema.Timestamp:
			out[i] = v.Int64()
		case c.Kind == schema.Double:
			out[i] = v.Double()
		case c.Kind == schema.Bool:
			out[i] = v.Boolean()
		default:
			out[i] = string(v.ByteArray())
		}
		if out[i] == nil && !c.Nullable {
			t.Fatalf("%s: NULL in %s", name, c.Name)
		}
	}
	return out
}

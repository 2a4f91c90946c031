package parquetio

import (
	"fmt"
	"io"

	"mss/internal/schema"
)

// ColumnData is a column of a small table, ready to be encoded.
type ColumnData struct {
	Dict  *Dict    // sorted; nil for Bool
	Codes []uint32 // a code of Dict or Null for each row; for Bool 0 or 1
}

// tableGroupRows is the number of rows of a row group of a small table.
const tableGroupRows = 1 << 20

// WriteTable writes a table that is in memory as one Parquet file.
func WriteTable(w io.Writer, table schema.Table, cols []ColumnData) error {
	if len(cols) != len(table.Columns) {
		return fmt.Errorf("encode table %s: %d columns, want %d", table.Name, len(cols), len(table.Columns))
	}
	f := NewWriter(w, table)
	rows := len(cols[0].Codes)
	g := NewGroup(table)
	for from := 0; from < rows; from += tableGroupRows {
		to := min(from+tableGroupRows, rows)
		g.Reset(to - from)
		for i, c := range cols {
			if c.Dict != nil {
				g.Dictionary(i, c.Dict, nil)
			}
			var runs []CodeRun
			for at := from; at < to; at += PageRows {
				runs = appendRuns(runs[:0], c.Codes[at:min(at+PageRows, to)])
				if c.Dict == nil {
					g.BoolPage(i, runs)
				} else {
					g.RunPage(i, runs)
				}
			}
		}
		if err := f.Append(g); err != nil {
			return err
		}
	}
	return f.Close()
}

func appendRuns(runs []CodeRun, codes []uint32) []CodeRun {
	for i, c := range codes {
		if i > 0 && c == codes[i-1] {
			runs[len(runs)-1].N++
		} else {
			runs = append(runs, CodeRun{c, 1})
		}
	}
	return runs
}

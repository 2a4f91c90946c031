package parquetio

import (
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"mss/internal/schema"
)

// ColumnData is a column of a small table, ready to be encoded.
type ColumnData struct {
	Dict  *Dict    // sorted; nil for Bool
	Codes []uint32 // a code of Dict or Null for each row; for Bool 0 or 1
}

// tableGroupRows is the number of rows of a row group of a small table.
const tableGroupRows = 1 << 20

// WriteTable writes a table that is in memory as one Parquet file, encoding threads columns at a time.
func WriteTable(w io.Writer, table schema.Table, cols []ColumnData, threads int) error {
	if len(cols) != len(table.Columns) {
		return fmt.Errorf("encode table %s: %d columns, want %d", table.Name, len(cols), len(table.Columns))
	}
	f := NewWriter(w, table)
	rows := len(cols[0].Codes)
	g := NewGroup(table)
	g.Concurrent()
	for from := 0; from < rows; from += tableGroupRows {
		to := min(from+tableGroupRows, rows)
		g.Reset(to - from)
		var group errgroup.Group
		group.SetLimit(max(1, threads))
		for i, c := range cols {
			group.Go(func() error {
				g.writeColumn(i, c.Dict, c.Codes[from:to])
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if err := f.Append(g); err != nil {
			return err
		}
	}
	return f.Close()
}

// writeColumn writes a whole column of the row group; of bools when there is no dictionary.
func (g *Group) writeColumn(col int, dict *Dict, codes []uint32) {
	if dict != nil {
		g.Dictionary(col, dict, nil)
	}
	var runs []CodeRun
	for at := 0; at < len(codes); at += PageRows {
		runs = appendRuns(runs[:0], codes[at:min(at+PageRows, len(codes))])
		if dict == nil {
			g.BoolPage(col, runs)
		} else {
			g.RunPage(col, runs)
		}
	}
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

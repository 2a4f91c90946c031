package kpitest

import (
	"bytes"

	"mss/internal/parquetio"
	"mss/internal/schema"
)

// Parquet makes a data object of mss-transformed, of row groups of at most groupRows rows.
func Parquet(rows []Row, groupRows int) ([]byte, error) {
	var b bytes.Buffer
	w := parquetio.NewWriter(&b, schema.Transformed)
	for len(rows) > 0 {
		n := min(groupRows, len(rows))
		if err := w.Append(group(rows[:n])); err != nil {
			return nil, err
		}
		rows = rows[n:]
	}
	err := w.Close()
	return b.Bytes(), err
}

// group encodes rows as mss does: runs of codes, and listen_time as a dictionary or plain.
func group(rows []Row) *parquetio.Group {
	g := parquetio.NewGroup(schema.Transformed)
	g.Reset(len(rows))
	for col, c := range schema.Transformed.Columns {
		if c.Kind == schema.Bool {
			for page := range pages(rows) {
				var runs []parquetio.CodeRun
				for _, r := range page {
					code := uint32(0)
					if r.Primary {
						code = 1
					}
					runs = append(runs, parquetio.CodeRun{Code: code, N: 1})
				}
				g.BoolPage(col, runs)
			}
			continue
		}
		if c.Name == "listen_time" && len(rows)%2 == 0 {
			for page := range pages(rows) {
				var times []int64
				for _, r := range page {
					times = append(times, r.Time)
				}
				g.IntPage(col, times)
			}
			continue
		}
		enc := parquetio.NewColumnEncoder(c.Kind)
		codes := make([]uint32, len(rows))
		for i, r := range rows {
			codes[i] = code(enc, c.Name, &r)
		}
		data := enc.Finish(codes)
		g.Dictionary(col, data.Dict, nil)
		at := 0
		for page := range pages(rows) {
			part := data.Codes[at : at+len(page)]
			at += len(page)
			if c.Name == "user_id" || c.Name == "listen_time" || c.Name == "created_at" {
				nulls := 0
				for _, code := range part {
					if code == parquetio.Null {
						nulls++
					}
				}
				g.CodePage(col, part, nulls)
				continue
			}
			var runs []parquetio.CodeRun
			for _, code := range part {
				if n := len(runs); n > 0 && runs[n-1].Code == code {
					runs[n-1].N++
				} else {
					runs = append(runs, parquetio.CodeRun{Code: code, N: 1})
				}
			}
			g.RunPage(col, runs)
		}
	}
	return g
}

func pages(rows []Row) func(func([]Row) bool) {
	return func(yield func([]Row) bool) {
		for len(rows) > 0 {
			n := min(parquetio.PageRows, len(rows))
			if !yield(rows[:n]) {
				return
			}
			rows = rows[n:]
		}
	}
}

func code(e *parquetio.ColumnEncoder, column string, r *Row) uint32 {
	text := func(p *string) uint32 {
		if p == nil {
			return parquetio.Null
		}
		return e.Text(*p)
	}
	num := func(p *int64) uint32 {
		if p == nil {
			return parquetio.Null
		}
		return e.Int(*p)
	}
	switch column {
	case "user_id":
		return e.Int(r.User)
	case "track_id":
		return e.Text(r.Track)
	case "listen_time":
		return e.Int(r.Time)
	case "artists":
		return text(r.Artists)
	case "track_name":
		return text(r.Name)
	case "popularity":
		return num(r.Popularity)
	case "duration_ms":
		return num(r.Duration)
	case "genre":
		return text(r.Genre)
	}
	return parquetio.Null // created_at
}

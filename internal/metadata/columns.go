package metadata

import (
	"golang.org/x/sync/errgroup"

	"mss/internal/parquetio"
	"mss/internal/schema"
)

// parallel runs the functions on threads workers, in the order given: the longest first.
func parallel(threads int, fs ...func()) {
	var g errgroup.Group
	g.SetLimit(max(1, threads))
	for _, f := range fs {
		g.Go(func() error { f(); return nil })
	}
	_ = g.Wait() // none returns an error
}

// textColumn encodes a text column; "" is NULL.
func textColumn[R any](rows []R, of func(R) string) parquetio.ColumnData {
	enc := parquetio.NewColumnEncoder(schema.String)
	codes := make([]uint32, len(rows))
	last, lastCode := "", parquetio.Null
	for i, r := range rows {
		v := of(r)
		switch {
		case v == last: // equal neighbours are frequent in sorted rows
		case v == "":
			last, lastCode = v, parquetio.Null
		default:
			last, lastCode = v, enc.Text(v)
		}
		codes[i] = lastCode
	}
	return enc.Finish(codes)
}

// intColumn encodes an integer column; of tells the value and whether it is NULL.
func intColumn[R any](kind schema.Kind, rows []R, of func(R) (int64, bool)) parquetio.ColumnData {
	enc := parquetio.NewColumnEncoder(kind)
	codes := make([]uint32, len(rows))
	for i, r := range rows {
		codes[i] = parquetio.Null
		if v, null := of(r); !null {
			codes[i] = enc.Int(v)
		}
	}
	return enc.Finish(codes)
}

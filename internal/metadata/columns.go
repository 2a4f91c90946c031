package metadata

import (
	"cmp"
	"slices"
	"strings"

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

// textColumn encodes a text column; "" is NULL. The dictionary is sorted by bytes.
func textColumn[R any](rows []R, of func(R) string) parquetio.ColumnData {
	first := make(map[string]uint32, len(rows)/2) // codes by first appearance
	codes := make([]uint32, len(rows))
	var values []string
	last, lastCode := "", parquetio.Null
	for i, r := range rows {
		v := of(r)
		if v != last { // equal neighbours are frequent in sorted rows
			last, lastCode = v, parquetio.Null
			if v != "" {
				code, ok := first[v]
				if !ok {
					code = uint32(len(values))
					first[v] = code
					values = append(values, v)
				}
				lastCode = code
			}
		}
		codes[i] = lastCode
	}
	dict := parquetio.NewDict(schema.String)
	keys := make([]sortKey[uint32], len(values))
	size := 0
	for i, v := range values {
		keys[i] = sortKey[uint32]{prefix(v), uint32(i)}
		size += len(v)
	}
	dict.Grow(len(values), size)
	slices.SortFunc(keys, func(a, b sortKey[uint32]) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return strings.Compare(values[a.row], values[b.row])
	})
	sorted := make([]uint32, len(values))
	for code, k := range keys {
		sorted[k.row] = uint32(code)
		dict.AddString(values[k.row])
	}
	recode(codes, sorted)
	return parquetio.ColumnData{Dict: dict, Codes: codes}
}

// intColumn encodes an integer column; of tells the value and whether it is NULL. The dictionary ascends.
func intColumn[R any](kind schema.Kind, rows []R, of func(R) (int64, bool)) parquetio.ColumnData {
	first := map[int64]uint32{}
	codes := make([]uint32, len(rows))
	var values []int64
	for i, r := range rows {
		v, null := of(r)
		if null {
			codes[i] = parquetio.Null
			continue
		}
		code, ok := first[v]
		if !ok {
			code = uint32(len(values))
			first[v] = code
			values = append(values, v)
		}
		codes[i] = code
	}
	order := slices.Clone(values)
	slices.Sort(order)
	dict := parquetio.NewDict(kind)
	sorted := make([]uint32, len(values))
	for code, v := range order {
		sorted[first[v]] = uint32(code)
		dict.AddInt(v)
	}
	recode(codes, sorted)
	return parquetio.ColumnData{Dict: dict, Codes: codes}
}

func recode(codes, to []uint32) {
	for i, c := range codes {
		if c != parquetio.Null {
			codes[i] = to[c]
		}
	}
}

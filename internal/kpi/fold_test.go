package kpi

import (
	"bytes"
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"mss/internal/kpi/kpitest"
	"mss/internal/kpi/state"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// TestBothWays folds files that mss wrote both ways, clustered and not, and compares with the naive way.
func TestBothWays(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		n := r.IntN(3000)
		if seed%20 == 0 {
			n = 3*parquetio.PageRows + r.IntN(1000) // pages
		}
		rows := kpitest.Rows(r, n)
		if r.IntN(2) == 0 {
			slices.SortFunc(rows, func(a, b kpitest.Row) int { return bytes.Compare([]byte(a.Track), []byte(b.Track)) })
		}
		sem := []schema.Semantics{schema.Corrected, schema.Glue}[seed%2]
		want := kpitest.KPIs(rows, sem)
		data, err := kpitest.Parquet(rows, 1+r.IntN(n+1))
		if err != nil {
			t.Fatal(err)
		}
		file, err := parquetio.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, fast := range []bool{true, false} {
			keys := state.NewKeys()
			total := state.NewTotal(keys, sem)
			w := worker{folder: state.NewFolder(total, true), dicts: &parquetio.DictCache{}, buffers: &buffers{}}
			object := state.NewObject(nil)
			for i := range file.NumRowGroups() {
				rg := rowGroup{&input{file: file}, i}
				if fast {
					l := w.load(rg, &w.chunks[0])
					if <-l.done; !l.fast || l.err != nil {
						t.Fatalf("seed %d: the fast way: %v, %v", seed, l.fast, l.err)
					}
					if ok, err := w.foldRuns(ctx, l.chunks); !ok || err != nil {
						t.Fatalf("seed %d: the fast way: %v, %v", seed, ok, err)
					}
				} else if err := w.foldBatches(ctx, rg); err != nil {
					t.Fatal(err)
				}
				object = w.folder.End(object)
			}
			if got := total.Result().Rows; !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
				t.Fatalf("seed %d %s fast %v:\n got %s\nwant %s", seed, sem, fast, kpitest.Show(got), kpitest.Show(want))
			}
			again := state.NewTotal(keys, sem)
			l := state.NewLoader(again)
			if err := l.Add(object); err != nil {
				t.Fatal(err)
			}
			l.Close()
			if got := again.Result().Rows; !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
				t.Fatalf("seed %d %s fast %v, its state:\n got %s\nwant %s", seed, sem, fast, kpitest.Show(got), kpitest.Show(want))
			}
		}
	}
}

func TestHours(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for range 200 {
		first := r.Int64N(1<<60) - 1<<59
		if r.IntN(2) == 0 {
			first -= first % second
		}
		values := make(ints, 1+r.IntN(20000))
		for i := range values {
			values[i] = first + int64(i)*second
			if r.IntN(4) == 0 && first%7 == 0 {
				values[i] = int64(r.Uint64())
			}
		}
		var table hourTable
		table.use(&values)
		codes := make([]int32, len(values))
		for i := range codes {
			codes[i] = int32(i)
		}
		byCode, plain := make([]uint8, len(values)), make([]uint8, len(values))
		table.of(byCode, codes)
		hoursOf(plain, values)
		for i, v := range values {
			if want := hourOf(v); byCode[i] != want || plain[i] != want {
				t.Fatalf("%d: hours %d and %d, want %d", v, byCode[i], plain[i], want)
			}
		}
	}
}

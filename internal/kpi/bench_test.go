package kpi

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"mss/internal/kpi/kpitest"
	"mss/internal/kpi/state"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// BenchmarkFold folds a row group of a million plays, both ways, and makes its state.
func BenchmarkFold(b *testing.B) {
	rows := kpitest.Clustered(rand.New(rand.NewPCG(1, 1)), 1_000_000)
	data, err := kpitest.Parquet(rows, len(rows))
	if err != nil {
		b.Fatal(err)
	}
	file, err := parquetio.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	for _, way := range []string{"runs", "batches"} {
		b.Run(way, func(b *testing.B) {
			total := state.NewTotal(state.NewKeys(), schema.Corrected)
			w := worker{folder: state.NewFolder(total, true), dicts: &parquetio.DictCache{}, buffers: &buffers{}}
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				rg := rowGroup{&input{file: file}, 0}
				if way == "runs" {
					l := w.load(rg, &w.chunks[0])
					<-l.done
					if ok, err := w.foldRuns(context.Background(), l.chunks); !ok || err != nil {
						b.Fatal(ok, err)
					}
				} else if err := w.foldBatches(context.Background(), rg); err != nil {
					b.Fatal(err)
				}
				size = len(w.folder.End(nil))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/row")
			b.ReportMetric(float64(size), "state-bytes")
		})
	}
}

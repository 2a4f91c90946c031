package kpi

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"mss/internal/kpi/kpitest"
	"mss/internal/kpi/state"
	"mss/internal/schema"
)

// batchOf makes a record batch, with dictionary arrays or plain ones.
func batchOf(rows []kpitest.Row, coded bool) arrow.Record {
	mem := memory.NewGoAllocator()
	var fields []arrow.Field
	var arrays []arrow.Array
	add := func(i int, typ arrow.DataType, value func(kpitest.Row) any) {
		if coded {
			typ = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: typ}
		}
		b := array.NewBuilder(mem, typ)
		for _, r := range rows {
			switch v := value(r).(type) {
			case nil:
				b.AppendNull()
			case int64:
				var err error
				switch b := b.(type) {
				case *array.Int64Builder:
					b.Append(v)
				case *array.TimestampBuilder:
					b.Append(arrow.Timestamp(v))
				case *array.Int64DictionaryBuilder:
					err = b.Append(v)
				case *array.TimestampDictionaryBuilder:
					err = b.Append(arrow.Timestamp(v))
				}
				if err != nil {
					panic(err)
				}
			case string:
				if d, ok := b.(*array.BinaryDictionaryBuilder); ok {
					if err := d.AppendString(v); err != nil {
						panic(err)
					}
				} else {
					b.(*array.StringBuilder).Append(v)
				}
			}
		}
		arrays = append(arrays, b.NewArray())
		fields = append(fields, arrow.Field{Name: columns[i].Name, Type: typ, Nullable: columns[i].Nullable})
	}
	text := func(p *string) any {
		if p == nil {
			return nil
		}
		return *p
	}
	num := func(p *int64) any {
		if p == nil {
			return nil
		}
		return *p
	}
	add(colUser, arrow.PrimitiveTypes.Int64, func(r kpitest.Row) any { return r.User })
	add(colTrack, arrow.BinaryTypes.String, func(r kpitest.Row) any { return r.Track })
	add(colTime, &arrow.TimestampType{Unit: arrow.Microsecond}, func(r kpitest.Row) any { return r.Time })
	add(colArtists, arrow.BinaryTypes.String, func(r kpitest.Row) any { return text(r.Artists) })
	add(colName, arrow.BinaryTypes.String, func(r kpitest.Row) any { return text(r.Name) })
	add(colPopularity, arrow.PrimitiveTypes.Int64, func(r kpitest.Row) any { return num(r.Popularity) })
	add(colDuration, arrow.PrimitiveTypes.Int64, func(r kpitest.Row) any { return num(r.Duration) })
	add(colGenre, arrow.BinaryTypes.String, func(r kpitest.Row) any { return text(r.Genre) })
	b := array.NewBooleanBuilder(mem)
	for _, r := range rows {
		b.Append(r.Primary)
	}
	arrays = append(arrays, b.NewArray())
	fields = append(fields, arrow.Field{Name: "is_primary", Type: arrow.FixedWidthTypes.Boolean})
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(len(rows)))
}

// TestArrowBatches folds record batches of dictionary arrays and of plain ones, and compares with the naive way.
func TestArrowBatches(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		rows := kpitest.Rows(r, r.IntN(400))
		for _, sem := range []schema.Semantics{schema.Corrected, schema.Glue} {
			total := state.NewTotal(state.NewKeys(), sem)
			folder := state.NewFolder(total, false)
			var b batch
			for rest := rows; len(rest) > 0; {
				n := 1 + r.IntN(len(rest))
				rec := batchOf(rest[:n], r.IntN(2) == 0)
				if err := b.set(rec); err != nil {
					t.Fatal(err)
				}
				if err := folder.Fold(&b.out); err != nil {
					t.Fatal(err)
				}
				rec.Release()
				rest = rest[n:]
			}
			folder.End(nil)
			if got, want := total.Result().Rows, kpitest.KPIs(rows, sem); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d %s:\n got %s\nwant %s", seed, sem, kpitest.Show(got), kpitest.Show(want))
			}
		}
	}
}

func BenchmarkFoldBatches(b *testing.B) {
	rows := kpitest.Rows(rand.New(rand.NewPCG(1, 1)), 32768)
	rec := batchOf(rows, true)
	folder := state.NewFolder(state.NewTotal(state.NewKeys(), schema.Corrected), false)
	var batch batch
	b.ReportAllocs()
	for b.Loop() {
		if err := batch.set(rec); err != nil {
			b.Fatal(err)
		}
		if err := folder.Fold(&batch.out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/row")
}

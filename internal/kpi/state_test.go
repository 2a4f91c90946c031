package kpi

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"mss/internal/schema"
)

// row is a row of mss-transformed; nil is NULL.
type row struct {
	user                 int64
	track                string
	time                 int64
	artists, name, genre *string
	popularity, duration *int64
	primary              bool
}

// randomRows makes rows with few distinct values, so that there are ties, NULLs of every kind and sums beyond int64.
func randomRows(r *rand.Rand, n int) []row {
	text := func(prefix string, k int) *string {
		if r.IntN(6) == 0 {
			return nil
		}
		s := prefix + strconv.Itoa(r.IntN(k))
		return &s
	}
	num := func(values ...int64) *int64 {
		if r.IntN(6) == 0 {
			return nil
		}
		return &values[r.IntN(len(values))]
	}
	rows := make([]row, n)
	for i := range rows {
		if i > 0 && r.IntN(3) > 0 { // a run of one song
			rows[i] = rows[i-1]
		} else {
			rows[i] = row{track: "t" + strconv.Itoa(r.IntN(30)), artists: text("a", 5), name: text("n", 4), genre: text("g", 5),
				popularity: num(-3, 0, 50, 100, math.MaxInt64), duration: num(math.MaxInt64, math.MaxInt64-1, 1, math.MinInt64, 180000), primary: r.IntN(3) > 0}
		}
		rows[i].user = []int64{math.MinInt64, -1, 0, 7, math.MaxInt64}[r.IntN(5)] / int64(1+r.IntN(4))
		rows[i].time = r.Int64N(400*365*86400)*1000003 - 200*365*86400*1000000
	}
	return rows
}

// batchOf makes a record batch, with dictionary arrays or plain ones.
func batchOf(rows []row, coded bool) arrow.Record {
	mem := memory.NewGoAllocator()
	var fields []arrow.Field
	var arrays []arrow.Array
	add := func(i int, typ arrow.DataType, value func(row) any) {
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
	add(colUser, arrow.PrimitiveTypes.Int64, func(r row) any { return r.user })
	add(colTrack, arrow.BinaryTypes.String, func(r row) any { return r.track })
	add(colTime, &arrow.TimestampType{Unit: arrow.Microsecond}, func(r row) any { return r.time })
	add(colArtists, arrow.BinaryTypes.String, func(r row) any { return text(r.artists) })
	add(colName, arrow.BinaryTypes.String, func(r row) any { return text(r.name) })
	add(colPopularity, arrow.PrimitiveTypes.Int64, func(r row) any { return num(r.popularity) })
	add(colDuration, arrow.PrimitiveTypes.Int64, func(r row) any { return num(r.duration) })
	add(colGenre, arrow.BinaryTypes.String, func(r row) any { return text(r.genre) })
	b := array.NewBooleanBuilder(mem)
	for _, r := range rows {
		b.Append(r.primary)
	}
	arrays = append(arrays, b.NewArray())
	fields = append(fields, arrow.Field{Name: "is_primary", Type: arrow.FixedWidthTypes.Boolean})
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(len(rows)))
}

// naive computes the rows by the words of the contract.
func naive(rows []row, sem schema.Semantics) []schema.KPI {
	key := func(p *string) string {
		if p == nil {
			return "\xff"
		}
		return *p
	}
	mean := func(values []*int64) *float64 {
		sum, n := new(big.Int), 0
		for _, v := range values {
			if v != nil {
				sum.Add(sum, big.NewInt(*v))
				n++
			}
		}
		if n == 0 {
			return nil
		}
		f, _ := new(big.Float).SetInt(sum).Float64()
		f /= float64(n)
		return &f
	}
	byGenre := map[string][]row{}
	byHour := map[int][]row{}
	for _, r := range rows {
		byGenre[key(r.genre)] = append(byGenre[key(r.genre)], r)
		if r.primary || sem == schema.Glue {
			h := time.UnixMicro(r.time).UTC().Hour()
			byHour[h] = append(byHour[h], r)
		}
	}
	var out []schema.KPI
	for _, g := range sortedKeys(byGenre) {
		rs := byGenre[g]
		k := schema.KPI{Type: schema.Genre, GroupBy: rs[0].genre, ListenCount: int64(len(rs))}
		var ds, ps []*int64
		top := rs[0]
		for _, r := range rs {
			ds, ps = append(ds, r.duration), append(ps, r.popularity)
			rank := func(p *int64) (int, int64) {
				if p == nil {
					return 0, 0
				}
				return 1, *p
			}
			ra, va := rank(r.popularity)
			rb, vb := rank(top.popularity)
			if cmp.Or(-cmp.Compare(ra, rb), -cmp.Compare(va, vb), cmp.Compare(key(r.name), key(top.name)), cmp.Compare(key(r.artists), key(top.artists))) < 0 {
				top = r
			}
		}
		k.AvgDuration, k.Popularity, k.TopTrack, k.TopArtist = mean(ds), mean(ps), top.name, top.artists
		if k.GroupBy == nil && sem == schema.Glue {
			k.TopTrack, k.TopArtist = nil, nil
		}
		out = append(out, k)
	}
	for h := range 24 {
		rs := byHour[h]
		if len(rs) == 0 {
			continue
		}
		users, tracks, artists := map[int64]bool{}, map[string]bool{}, map[string]int{}
		for _, r := range rs {
			users[r.user], tracks[r.track] = true, true
			if r.artists != nil || sem == schema.Glue {
				artists[key(r.artists)]++
			}
		}
		name, diversity := strconv.Itoa(h), float64(len(tracks))/float64(len(rs))
		k := schema.KPI{Type: schema.Hourly, GroupBy: &name, ListenCount: int64(len(users)), AvgDuration: &diversity}
		best := ""
		for _, a := range sortedKeys(artists) {
			if best == "" || artists[a] > artists[best] {
				best = a
			}
		}
		if best != "" && best != "\xff" {
			k.TopArtist = &best
		}
		out = append(out, k)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestStateIsExact folds random rows in random order, split into batches and states, and compares with the naive way.
func TestStateIsExact(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		rows := randomRows(r, r.IntN(400))
		for _, sem := range []schema.Semantics{schema.Corrected, schema.Glue} {
			want := naive(rows, sem)
			if r.IntN(2) == 0 {
				r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			}
			states := make([]*State, 1+r.IntN(4))
			for i := range states {
				if states[i] = NewState(sem); i > 0 && r.IntN(2) == 0 {
					states[i] = states[r.IntN(i)].Sibling()
				}
			}
			for rest := rows; len(rest) > 0; {
				n := 1 + r.IntN(len(rest))
				rec := batchOf(rest[:n], r.IntN(2) == 0)
				if err := states[r.IntN(len(states))].Fold(rec); err != nil {
					t.Fatal(err)
				}
				rec.Release()
				rest = rest[n:]
			}
			r.Shuffle(len(states), func(i, j int) { states[i], states[j] = states[j], states[i] })
			for _, s := range states[1:] {
				states[0].Merge(s)
			}
			if got := states[0].Rows(); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
				t.Fatalf("seed %d %s:\n got %s\nwant %s", seed, sem, show(got), show(want))
			}
			plays := int64(0)
			for _, r := range rows {
				if r.primary {
					plays++
				}
			}
			if states[0].Plays() != plays || states[0].NumRows() != int64(len(rows)) {
				t.Fatalf("%d plays of %d rows, want %d of %d", states[0].Plays(), states[0].NumRows(), plays, len(rows))
			}
		}
	}
}

func show(rows []schema.KPI) (out string) {
	for _, k := range rows {
		p := func(v any) string {
			if r := reflect.ValueOf(v); !r.IsNil() {
				return fmt.Sprint(r.Elem())
			}
			return "NULL"
		}
		out += fmt.Sprintf("\n  %s %s %d %s %s %s %s", k.Type, p(k.GroupBy), k.ListenCount, p(k.AvgDuration), p(k.Popularity), p(k.TopTrack), p(k.TopArtist))
	}
	return out
}

func TestSumIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	for range 1000 {
		var s sum
		want, n := new(big.Int), int64(0)
		for range 1 + r.IntN(20) {
			v, k := int64(r.Uint64())>>r.IntN(64), r.Int64N(1<<40)
			s.add(v, k)
			want.Add(want, new(big.Int).Mul(big.NewInt(v), big.NewInt(k)))
			n += k
		}
		f, _ := new(big.Float).SetInt(want).Float64()
		if n > 0 && *s.mean(n) != f/float64(n) {
			t.Fatalf("%v, want %v / %d", *s.mean(n), want, n)
		}
	}
	if (sum{}).mean(0) != nil {
		t.Fatal("the mean of nothing is not nil")
	}
}

func TestHourBeforeTheEpoch(t *testing.T) {
	for _, c := range []struct {
		text string
		hour uint8
	}{{"1969-12-31T23:59:59.999999Z", 23}, {"0001-01-01T00:00:00Z", 0}, {"1970-01-01T00:00:00Z", 0}, {"9999-12-31T13:00:00Z", 13}} {
		at, err := time.Parse(time.RFC3339Nano, c.text)
		if err != nil {
			t.Fatal(err)
		}
		if h := hourOf(at.UnixMicro()); h != c.hour {
			t.Errorf("%s: hour %d, want %d", c.text, h, c.hour)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	rows := randomRows(rand.New(rand.NewPCG(1, 1)), 32768)
	rec := batchOf(rows, true)
	s := NewState(schema.Corrected)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Fold(rec); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/row")
}

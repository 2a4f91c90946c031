package integrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mss/internal/csvio"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

func trackDict(ids []string) *parquetio.Dict {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	d := parquetio.NewDict(schema.String)
	for _, id := range slices.Compact(ids) {
		d.AddString(id)
	}
	return d
}

// batchOfTracks makes a batch whose tracks are ids.
func batchOfTracks(ids []string) *csvio.PlayBatch {
	b := &csvio.PlayBatch{N: len(ids)}
	for _, id := range ids {
		b.TrackPos = append(b.TrackPos, uint32(len(b.Text)))
		b.TrackLen = append(b.TrackLen, uint32(len(id)))
		b.Text = append(b.Text, id...)
	}
	b.Text = append(b.Text, make([]byte, 64)...)
	return b
}

// TestTrackIndex looks up known and unknown ids of all lengths, in dimensions from none to more than 2^18 tracks.
func TestTrackIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, n := range []int{0, 1, 2, 3, 100, 131072, 300000} {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%022x", r.Uint64())
			if i%10 == 3 { // ids that differ in one byte alone, anywhere
				b := []byte(ids[i-1])
				b[r.IntN(22)]++
				ids[i] = string(b)
			}
			if i%50 == 7 {
				ids[i] = ids[i][:r.IntN(22)] + "é"
			}
			if i%5000 == 11 {
				ids[i] += ids[i]
			}
		}
		dict := trackDict(ids)
		want := map[string]uint32{}
		for code := range dict.Len() {
			want[string(dict.Text(uint32(code)))] = uint32(code)
		}
		x := newTrackIndex(dict)
		for len(ids) > 0 || n == 0 {
			k := min(len(ids), 2000)
			asked := append(slices.Clone(ids[:k]), "", "x", fmt.Sprintf("%022x", r.Uint64()), fmt.Sprintf("%044x", r.Uint64()), "0000000000000000000000")
			if k > 0 {
				b := []byte(ids[0])
				b[len(b)-1] ^= 1
				asked = append(asked, string(b))
			}
			got := x.lookup(batchOfTracks(asked), []uint32{42})
			if got[0] != 42 || len(got) != len(asked)+1 {
				t.Fatal("lookup does not append")
			}
			for i, id := range asked {
				code, ok := want[id]
				if !ok {
					code = none
				}
				if got[i+1] != code {
					t.Fatalf("%d tracks: %q has code %d, want %d", n, id, got[i+1], code)
				}
			}
			if n == 0 {
				break
			}
			ids = ids[k:]
		}
	}
}

// TestUserIndex looks up users whose ids lie close together, far apart, below zero, and at both ends of int64.
func TestUserIndex(t *testing.T) {
	for _, ids := range [][]int64{nil, {0}, {-5, -4, -1, 0, 7}, {math.MinInt64, math.MaxInt64}, {math.MinInt64, math.MinInt64 + 3}, {math.MaxInt64 - 2, math.MaxInt64},
		{1, 1 << 40, 1 << 50}, {-1 << 62, 1 << 62}} {
		d := parquetio.NewDict(schema.Int64)
		want := map[int64]uint32{}
		var asked []int64
		for i, id := range ids {
			d.AddInt(id)
			want[id] = uint32(i)
			asked = append(asked, id, id+1, id-1, -id)
		}
		asked = append(asked, 0, 1, -1, 5000, math.MinInt64, math.MaxInt64)
		x := newUserIndex(d)
		for i, code := range x.lookup(asked, nil) {
			w, ok := want[asked[i]]
			if !ok {
				w = none
			}
			if code != w {
				t.Errorf("users %v: %d has code %d, want %d", ids, asked[i], code, w)
			}
		}
	}
}

func BenchmarkTrackIndex(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 9))
	ids := make([]string, 90000)
	for i := range ids {
		ids[i] = fmt.Sprintf("%022x", r.Uint64())
	}
	x := newTrackIndex(trackDict(ids))
	var batches []*csvio.PlayBatch
	for range 50 {
		asked := make([]string, csvio.BatchRows)
		for i := range asked {
			asked[i] = ids[r.IntN(len(ids))]
		}
		batches = append(batches, batchOfTracks(asked))
	}
	codes := make([]uint32, 0, csvio.BatchRows)
	i := 0
	for b.Loop() {
		codes = x.lookup(batches[i%len(batches)], codes[:0])
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/csvio.BatchRows, "ns/row")
}

package csvio

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"mss/internal/schema"
)

// plainStreams is well-formed input of the usual shape.
func plainStreams(rows int) []byte {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteString("user_id,track_id,listen_time\n")
	id := make([]byte, 22)
	for range rows {
		for i := range id {
			id[i] = letters[r.IntN(len(letters))]
		}
		fmt.Fprintf(&b, "%d,%s,2024-06-%02d %02d:%02d:%02d\n", r.IntN(50000), id, 1+r.IntN(30), r.IntN(24), r.IntN(60), r.IntN(60))
	}
	return b.Bytes()
}

func BenchmarkPlays(b *testing.B) {
	data := plainStreams(200000)
	l, err := ReadLayout(bytes.NewReader(data), schema.RawStreams)
	if err != nil {
		b.Fatal(err)
	}
	var s Plays
	var batch PlayBatch
	rows := 0
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s.Reset(bytes.NewReader(data[l.Start:]), l, Chunk{Start: l.Start, End: int64(len(data)), Aligned: true})
		for {
			ok, err := s.Next(&batch)
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				break
			}
			rows += batch.N
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

func BenchmarkRows(b *testing.B) {
	var sb strings.Builder
	sb.WriteString("id,track_id,artists,album_name,track_name,popularity,duration_ms,explicit,energy,track_genre\n")
	for i := range 50000 {
		fmt.Fprintf(&sb, "%d,%022d,\"Artist %d, Other\",Album,Track %d,%d,%d,False,0.676,genre-%d\n", i, i, i%999, i, i%101, 100000+i, i%114)
	}
	data := []byte(sb.String())
	l, err := ReadLayout(bytes.NewReader(data), schema.RawSongs)
	if err != nil {
		b.Fatal(err)
	}
	var s Rows
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s.Reset(bytes.NewReader(data[l.Start:]), l, Chunk{Start: l.Start, End: int64(len(data)), Aligned: true})
		for {
			_, ok, err := s.Next()
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				break
			}
		}
	}
}

package csvio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"mss/internal/schema"
)

// play is a row of streams.csv, for comparisons.
type play struct {
	User  int64
	Track string
	Time  int64
}

// all is what a reading of a file gives.
type all struct {
	Plays   []play
	Rejects []Reject
	Lines   int64
	Records int64
}

// readRows reads a file by the slow reader, in one chunk.
func readRows(t testing.TB, data []byte) (out all, err error) {
	l, err := ReadLayout(bytes.NewReader(data), schema.RawStreams)
	if err != nil {
		return out, err
	}
	var s Rows
	s.Reset(bytes.NewReader(data[l.Start:]), l, Chunk{Start: l.Start, End: int64(len(data)), Aligned: true})
	for {
		v, ok, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		out.Plays = append(out.Plays, play{v[0].Int, string(v[1].Text), v[2].Int})
	}
	return finish(out, &s.Scanner, l), nil
}

func finish(out all, s Chunker, l *Layout) all {
	out.Lines += s.Lines()
	out.Records += s.Records()
	for _, r := range s.Rejects() {
		r.Line += out.Lines - s.Lines() + 1 + l.Lines
		out.Rejects = append(out.Rejects, r)
	}
	return out
}

// readPlays reads a file by the hot reader, in chunks that are cut at the given offsets, as package ingest does.
func readPlays(t testing.TB, data []byte, cuts []int64) (out all, again int, err error) {
	l, err := ReadLayout(bytes.NewReader(data), schema.RawStreams)
	if err != nil {
		return out, 0, err
	}
	var s Plays
	var b PlayBatch
	one := func(c Chunk) (plays []play) {
		s.Reset(bytes.NewReader(data[c.ReadFrom():]), l, c)
		for {
			ok, err := s.Next(&b)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return plays
			}
			for i := range b.N {
				plays = append(plays, play{b.User[i], string(b.Track(i)), b.Time[i]})
			}
		}
	}
	next := l.Start
	from := int64(0)
	for _, to := range append(cuts, int64(len(data))+1) {
		c := Chunk{Start: max(from, l.Start), End: to, Aligned: from <= l.Start}
		from = to
		if next >= min(to, int64(len(data))) {
			continue
		}
		plays := one(c)
		if s.Start() != next {
			again++
			plays = one(Chunk{Start: next, End: to, Aligned: true})
		}
		if s.End() >= 0 {
			next = s.End()
		}
		out.Plays = append(out.Plays, plays...)
		out = finish(out, &s, l)
	}
	return out, again, nil
}

const header = "user_id,track_id,listen_time\n"

// hazards is a file body with every kind of good and bad line.
var hazards = strings.Join([]string{
	"1,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13\n",
	"1,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13\r\n",
	"-9223372036854775808,x,0001-01-01T00:00:00Z\n",
	"12345678,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13.1234567\n",
	"\"2\",\"a,b\"\"c\nd\",\"9999-12-31 23:59:59\"\n",
	"\n",
	"3,5SuOikwiRyPMVoIQDJUgSV\n",
	"3,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13,x\n",
	",5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13\n",
	"4,,2024-06-25 17:43:13\n",
	"4,\"\",2024-06-25 17:43:13\n",
	"5,5SuOikwiRyPMVoIQDJUgSV,2024-06-31 17:43:13\n",
	"5,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 24:00:00\n",
	"5,5SuOikwiRyPMVoIQDJUgSV,2024-06-25\n",
	" 6,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13\n",
	"+6,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13\n",
	"9223372036854775808,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13\n",
	"7,5SuOikw\xffRyPMVoIQDJUgSV,2024-06-25 17:43:13\n",
	"8,5SuOikwiRyPMV\"IQDJUgSV,2024-06-25 17:43:13\n",
	"9,\"abc\"d,2024-06-25 17:43:13\n",
	"9,\"open,2024-06-25 17:43:13\n",
	"10,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13+05:30\n",
	"11,花花花花花花花x,2024-02-29 00:00:00\r\n",
	"12,22bytes,with,comma1234,2024-02-29 00:00:00\n",
	"13,5SuOikwiRyPMVoIQDJUgSV,2024-06-25 17:43:13",
}, "")

func TestReadersAgree(t *testing.T) {
	data := []byte(header + hazards)
	want, err := readRows(t, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Plays) != 8 || len(want.Rejects) != 17 || want.Records != 25 {
		t.Fatalf("plays %v, rejects %v", want.Plays, want.Rejects)
	}
	for cut := int64(1); cut < int64(len(data)); cut++ {
		got, _, err := readPlays(t, data, []int64{cut})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("cut at %d:\n got %v\nwant %v", cut, got, want)
		}
	}
}

func TestReasons(t *testing.T) {
	long := strings.Repeat("x", MaxQuoted)
	for _, c := range []struct {
		line   string
		column string
		reason string // "" for a play
		rows   int    // records that the text makes
	}{
		{"1,a,2024-01-01 00:00:00", "", "", 1},
		{"1,a,2024-01-01T00:00:00", "", "", 1},
		{"1,a,2024-01-01 00:00:00.", "listen_time", BadTimestamp, 1},
		{"1,a,2024-01-01 00:00:00z", "listen_time", BadTimestamp, 1},
		{"1,a,2024-01-01 00:00", "listen_time", BadTimestamp, 1},
		{"1,a,2024-01-01", "listen_time", BadTimestamp, 1},
		{"1,a,0000-01-01 00:00:00", "listen_time", BadTimestamp, 1},
		{"1,a,9999-12-31 23:59:59-01:00", "listen_time", BadTimestamp, 1},
		{"1,a,2023-02-29 00:00:00", "listen_time", BadTimestamp, 1},
		{"1,a,2024-01-01 00:00:60", "listen_time", BadTimestamp, 1},
		{"1,a,", "listen_time", MissingKey, 1},
		{"x,,", "user_id", BadInteger, 1},
		{"1.0,a,2024-01-01 00:00:00", "user_id", BadInteger, 1},
		{"-,a,2024-01-01 00:00:00", "user_id", BadInteger, 1},
		{"1 ,a,2024-01-01 00:00:00", "user_id", BadInteger, 1},
		{"\"1\"\"\",a,2024-01-01 00:00:00", "user_id", BadInteger, 1},
		{"1,\xff,2024-01-01 00:00:00,", "", FieldCount, 1},
		{"x,\xff,2024-01-01 00:00:00", "", InvalidUTF8, 1},
		{"1,a\"b,2024-01-01 00:00:00", "", BadQuoting, 1},
		{"1,\"a\" ,2024-01-01 00:00:00", "", BadQuoting, 1},
		{"1,\"a\rb\",2024-01-01 00:00:00", "", "", 1},
		{"1,\"a\"\r,2024-01-01 00:00:00", "", BadQuoting, 1},
		{"1,\"" + long[1:] + "\",2024-01-01 00:00:00", "", "", 1},
		{"1,\"" + long + "\",2024-01-01 00:00:00", "", BadQuoting, 1},
		{"1,\"a,2024-01-01 00:00:00\n2,b,2024-01-01 00:00:00", "", BadQuoting, 2},
		{"", "", FieldCount, 1},
		{",,", "user_id", MissingKey, 1},
	} {
		name := fmt.Sprintf("%.60q", c.line)
		got, _, err := readPlays(t, []byte(header+c.line+"\n"), nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if int(got.Records) != c.rows {
			t.Errorf("%s: %d records, want %d: %v %v", name, got.Records, c.rows, got.Plays, got.Rejects)
		}
		switch {
		case c.reason == "" && len(got.Rejects) > 0:
			t.Errorf("%s: rejected: %v", name, got.Rejects)
		case c.reason != "" && len(got.Rejects) != 1:
			t.Errorf("%s: rejects %v, want one", name, got.Rejects)
		case c.reason != "":
			r := got.Rejects[0]
			first, _, _ := strings.Cut(c.line, "\n")
			if r.Reason != c.reason || r.Column != c.column || r.Line != 2 || string(r.Raw) != first {
				t.Errorf("%s: got %v", name, r)
			}
		}
	}
}

func TestHeader(t *testing.T) {
	for _, c := range []struct{ file, missing, problem string }{
		{"user_id,track_id\n1,a\n", "listen_time", `column "listen_time" is missing; the columns found are user_id, track_id`},
		{"user_id,user_id,track_id,listen_time\n", "user_id", "stands twice"},
		{"\nuser_id,track_id,listen_time\n", "user_id", "is missing"},
		{"\"user_id,track_id,listen_time\n", "", "bad quoting"},
		{"user_id,track_id,listen_time\xff\n", "", "not UTF-8"},
	} {
		_, err := ReadLayout(strings.NewReader(c.file), schema.RawStreams)
		var he *HeaderError
		if !errors.As(err, &he) || he.Missing != c.missing || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%q: %v", c.file, err)
		}
	}
	for _, file := range []string{"", "\xef\xbb\xbf", "user_id,track_id,listen_time", "\xef\xbb\xbf\"user_id\",track_id,listen_time\r\n",
		"x,listen_time,track_id,user_id\r"} {
		got, err := readRows(t, []byte(file))
		if err != nil || got.Records != 0 {
			t.Errorf("%q: %v %v", file, got, err)
		}
	}
	got, err := readRows(t, []byte("\xef\xbb\xbfx,\"listen_time\",track_id,\"y\nz\",user_id\r\n,2024-01-01 00:00:00,a,,7\r\n\n"))
	if err != nil || len(got.Plays) != 1 || got.Plays[0].User != 7 || len(got.Rejects) != 1 || got.Rejects[0].Line != 4 {
		t.Errorf("%v %v", got, err)
	}
}

// TestReadErrors: an error of the storage ends the reading; it never looks like the end of the file.
func TestReadErrors(t *testing.T) {
	data := plainStreams(1000)
	l, err := ReadLayout(bytes.NewReader(data), schema.RawStreams)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	var s Plays
	var b PlayBatch
	s.Reset(io.MultiReader(bytes.NewReader(data[l.Start:len(data)/2]), iotest.ErrReader(broken)), l, Chunk{Start: l.Start, End: int64(len(data)), Aligned: true})
	for {
		ok, err := s.Next(&b)
		if errors.Is(err, broken) {
			return
		}
		if !ok || err != nil {
			t.Fatal("the file ended without the error", err)
		}
	}
}

// TestBlocks reads files that are much longer than a block, with a quote here and there.
func TestBlocks(t *testing.T) {
	plain := plainStreams(60000)
	data := bytes.Replace(plain, []byte("-2"), []byte("-2"), -1)
	for i := len(header); i < len(data); i += 400_000 {
		k := bytes.IndexByte(data[i:], '\n') + i + 1
		data = append(data[:k:k], append([]byte("1,\"quoted, and\n over two lines\",2024-06-01 00:00:00\n,bad,\n"), data[k:]...)...)
	}
	want, err := readRows(t, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Plays) < 60003 || len(want.Rejects) < 3 {
		t.Fatal(len(want.Plays), len(want.Rejects))
	}
	n := int64(len(data))
	again := 0
	for _, cuts := range [][]int64{nil, {n / 2}, {n / 3, n/3 + 1, n/3 + 20, n / 2, n - 1}} {
		got, k, err := readPlays(t, data, cuts)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("cuts %v: %d plays, %d rejects, want %d, %d: %v", cuts, len(got.Plays), len(got.Rejects), len(want.Plays), len(want.Rejects), err)
		}
		again += k
	}
}

// TestChunkEnds has chunks of plays in several shapes end anywhere: no record of the next chunk is taken, so that nothing is read twice.
func TestChunkEnds(t *testing.T) {
	plain := plainStreams(60_000) // more than a window
	lines := bytes.Split(bytes.TrimSuffix(plain, []byte("\n")), []byte("\n"))
	shaped := func(line func(f [][]byte) string) []byte {
		var b bytes.Buffer
		for _, l := range lines {
			b.WriteString(line(bytes.Split(l, []byte(","))) + "\n")
		}
		return b.Bytes()
	}
	for name, data := range map[string][]byte{
		"plain":        plain,
		"quoted":       shaped(func(f [][]byte) string { return fmt.Sprintf(`"%s","%s","%s"`, f[0], f[1], f[2]) }),
		"other order":  shaped(func(f [][]byte) string { return fmt.Sprintf("%s,%s,%s", f[2], f[1], f[0]) }),
		"more columns": shaped(func(f [][]byte) string { return fmt.Sprintf("%s,%s,%s,x", f[0], f[1], f[2]) }),
	} {
		l, err := ReadLayout(bytes.NewReader(data), schema.RawStreams)
		if err != nil {
			t.Fatal(err)
		}
		for end := int64(1_000_000); end < int64(len(data)); end += 333_333 {
			var s Plays
			s.Reset(bytes.NewReader(data[l.Start:]), l, Chunk{Start: l.Start, End: end, Aligned: true})
			var b PlayBatch
			rows := 0
			for {
				ok, err := s.Next(&b)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				rows += b.N
			}
			want := end + 1 + int64(bytes.IndexByte(data[end-1:], '\n')) - 1
			if s.End() != want || rows != bytes.Count(data[l.Start:want], []byte("\n")) {
				t.Errorf("%s, a chunk to %d: ends at %d with %d rows, want %d with %d", name, end, s.End(), rows, want, bytes.Count(data[l.Start:want], []byte("\n")))
			}
		}
	}
}

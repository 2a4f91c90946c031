package csvio

import (
	"bytes"
	"encoding/csv"
	"reflect"
	"strings"
	"testing"

	"mss/internal/oracle"
	"mss/internal/schema"
)

// FuzzPlays holds the hot reader, cut into chunks anywhere, against the slow reader that follows the contract's words.
func FuzzPlays(f *testing.F) {
	f.Add([]byte(header+hazards), uint16(40), uint16(300))
	for _, line := range strings.SplitAfter(hazards, "\n") {
		f.Add([]byte(header+line+line), uint16(30), uint16(31))
		f.Add([]byte("\xef\xbb\xbftrack_id,x,listen_time,user_id\r\n"+line), uint16(1), uint16(50))
	}
	f.Fuzz(func(t *testing.T, data []byte, cut1, cut2 uint16) {
		rows, rejects, werr := oracle.ReadCSV(bytes.Clone(data), schema.RawStreams)
		cuts := []int64{int64(min(cut1, cut2)) + 1, int64(max(cut1, cut2)) + 2}
		got, _, err := readPlays(t, bytes.Clone(data), cuts)
		if err != nil && strings.Contains(err.Error(), "not UTF-8") {
			return // the contract does not say what such a header is
		}
		if (err != nil) != (werr != nil) {
			t.Fatalf("error %v, want %v", err, werr)
		}
		if err != nil {
			return
		}
		var want all
		for _, r := range rows {
			want.Plays = append(want.Plays, play{r.Values[0].(int64), r.Values[1].(string), r.Values[2].(int64)})
		}
		for _, r := range rejects {
			want.Rejects = append(want.Rejects, Reject{r.Line, r.Column, r.Reason, r.Raw})
		}
		if !reflect.DeepEqual(got.Plays, want.Plays) {
			t.Fatalf("plays\n got %v\nwant %v", got.Plays, want.Plays)
		}
		if len(got.Rejects) != len(want.Rejects) {
			t.Fatalf("rejects\n got %v\nwant %v", got.Rejects, want.Rejects)
		}
		for i, g := range got.Rejects {
			w := want.Rejects[i]
			if g.Line != w.Line || g.Column != w.Column || g.Reason != w.Reason || !bytes.Equal(g.Raw, w.Raw) {
				t.Fatalf("reject %d\n got %v %q\nwant %v %q", i, g, g.Raw, w, w.Raw)
			}
		}
	})
}

// FuzzWellFormed holds the reader of any table against encoding/csv, on what that one writes.
func FuzzWellFormed(f *testing.F) {
	f.Add("Gen Hoshino", "Ghost, \"Acoustic\"", "a\nb", true)
	f.Add("", "x", "\"", false)
	f.Fuzz(func(t *testing.T, artists, name, genre string, crlf bool) {
		for _, s := range []string{artists, name, genre} {
			if !bytes.Equal([]byte(s), []byte(strings.ToValidUTF8(s, ""))) || strings.Contains(s, "\r") || len(s) > MaxQuoted/2 {
				return // encoding/csv rewrites CR, and takes what is not UTF-8
			}
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = crlf
		rows := [][]string{{"artists", "other", "track_id", "track_genre", "track_name", "popularity", "duration_ms"},
			{artists, name, "id", genre, name, "5", "-7"}, {name, genre, "id2", artists, genre, "", "0"}}
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(bytes.NewReader(b.Bytes()))
		want, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		data := b.Bytes()
		l, err := ReadLayout(bytes.NewReader(data), schema.RawSongs)
		if err != nil {
			t.Fatal(err)
		}
		var s Rows
		s.Reset(bytes.NewReader(data[l.Start:]), l, Chunk{Start: l.Start, End: int64(len(data)), Aligned: true})
		for _, fields := range want[1:] {
			v, ok, err := s.Next()
			if err != nil || !ok {
				t.Fatalf("no row for %q: %v %v", fields, err, s.Rejects())
			}
			for col, field := range map[int]int{0: 2, 1: 0, 2: 4, 5: 3} {
				// encoding/csv takes CR LF in a field for LF; the contract keeps a text as it stands.
				if got := strings.ReplaceAll(string(v[col].Text), "\r\n", "\n"); got != fields[field] || v[col].Null != (fields[field] == "") {
					t.Fatalf("column %d: got %q, want %q", col, v[col].Text, fields[field])
				}
			}
		}
	})
}

// FuzzTimestamp holds the timestamp parser against the one of the contract's words.
func FuzzTimestamp(f *testing.F) {
	for _, s := range []string{"2024-06-25 17:43:13", "2024-06-25T17:43:13.123456789+05:30", "0001-01-01 00:00:00Z", "9999-12-31 23:59:59.9-00:01",
		"2024-02-29", "1900-02-29 00:00:00", "2024-06-25 17:43:13-0030", "2024-06-25 17:43:13+1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseTimestamp([]byte(s), false)
		want, wok := oracle.ParseTimestamp(s)
		if ok != wok || ok && got != want {
			t.Fatalf("%q: %d %v, want %d %v", s, got, ok, want, wok)
		}
		got, ok = ParseTimestamp([]byte(s), true)
		if !wok {
			want, wok = oracle.ParseDate(s)
		}
		if ok != wok || ok && got != want {
			t.Fatalf("bare %q: %d %v, want %d %v", s, got, ok, want, wok)
		}
	})
}

// FuzzInt holds the integer parser against the one of the contract's words.
func FuzzInt(f *testing.F) {
	for _, s := range []string{"0", "-0", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "00000000000000000000001", "+1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseInt([]byte(s))
		want, wok := oracle.ParseInt(s)
		if ok != wok || ok && got != want {
			t.Fatalf("%q: %d %v, want %d %v", s, got, ok, want, wok)
		}
	})
}

package oracle

import (
	"fmt"
	"strings"
	"testing"

	"mss/internal/schema"
)

// show is one line a row or reject, in the order of the file.
func show(t *testing.T, in string, table schema.Table) string {
	t.Helper()
	rows, rejects, err := ReadCSV([]byte(in), table)
	if err != nil {
		return "error: " + err.Error()
	}
	var out []string
	for len(rows) > 0 || len(rejects) > 0 {
		if len(rejects) == 0 || len(rows) > 0 && rows[0].Line < rejects[0].Line {
			var vals []string
			for _, v := range rows[0].Values {
				if v == nil {
					v = "NULL"
				} else if s, ok := v.(string); ok {
					v = fmt.Sprintf("%q", s)
				}
				vals = append(vals, fmt.Sprint(v))
			}
			out = append(out, fmt.Sprintf("%d: %s", rows[0].Line, strings.Join(vals, " ")))
			rows = rows[1:]
			continue
		}
		r := rejects[0]
		out = append(out, fmt.Sprintf("%d! %s %s %q", r.Line, r.Reason, r.Column, r.Raw))
		rejects = rejects[1:]
	}
	return strings.Join(out, "\n")
}

func TestReadCSV(t *testing.T) {
	const h = "track_id,artists,track_name,popularity,duration_ms,track_genre\n"
	long := strings.Repeat("x", MaxQuoted)
	for _, c := range []struct{ name, in, want string }{
		{"empty file", "", ""},
		{"bom alone", "\ufeff", ""},
		{"header alone", h, ""},
		{"header without newline", strings.TrimSpace(h), ""},
		{"plain", h + "a,b,c,1,2,d\n", `2: "a" "b" "c" 1 2 "d"`},
		{"no last newline", h + "a,b,c,1,2,d", `2: "a" "b" "c" 1 2 "d"`},
		{"CR at the end", h + "a,b,c,1,2,d\r", `2: "a" "b" "c" 1 2 "d"`},
		{"CR after a quote at the end", h + "a,b,c,1,2,\"d\"\r", `2: "a" "b" "c" 1 2 "d"`},
		{"bom and CRLF", "\ufeff" + strings.ReplaceAll(h, "\n", "\r\n") + "a,b,c,1,2,d\r\n", `2: "a" "b" "c" 1 2 "d"`},
		{"lone CR is data", h + "a,b\rb,c,1,2,d\r\r\n", `2: "a" "b\rb" "c" 1 2 "d\r"`},
		{"lone CR after a quote", h + "a,b,c,1,2,\"d\"\rx\n", `2! bad_quoting  "a,b,c,1,2,\"d\"\rx"`},
		{"empty is NULL", h + "a,,\"\",,\"\",\n", `2: "a" NULL NULL NULL NULL NULL`},
		{"quoted", h + "a,\"b,\"\"\r\nb\",c,1,2,d\ne,,,,,\n", "2: \"a\" \"b,\\\"\\r\\nb\" \"c\" 1 2 \"d\"\n4: \"e\" NULL NULL NULL NULL NULL"},
		{"empty line", h + "\na,,,,,\n\r\n", "2! field_count  \"\"\n3: \"a\" NULL NULL NULL NULL NULL\n4! field_count  \"\""},
		{"too few and many", h + "a,,,,\na,,,,,,\n", "2! field_count  \"a,,,,\"\n3! field_count  \"a,,,,,,\""},
		{"quote inside", h + "a,b\"b,,,,\ne,,,,,\n", "2! bad_quoting  \"a,b\\\"b,,,,\"\n3: \"e\" NULL NULL NULL NULL NULL"},
		{"junk after quote", h + "a,\"b\" ,,,,\r\ne,,,,,\n", "2! bad_quoting  \"a,\\\"b\\\" ,,,,\"\n3: \"e\" NULL NULL NULL NULL NULL"},
		{"junk after a quote two lines on", h + "a,\"b\nc\"d,,,,\ne,,,,,\n",
			"2! bad_quoting  \"a,\\\"b\"\n3! bad_quoting  \"c\\\"d,,,,\"\n4: \"e\" NULL NULL NULL NULL NULL"},
		{"unclosed", h + "a,\"b,,,,\r\ne,,,,,", "2! bad_quoting  \"a,\\\"b,,,,\"\n3: \"e\" NULL NULL NULL NULL NULL"},
		{"longest quoted", h + "a,\"" + long[1:] + "\",,,,\n", `2: "a" "` + long[1:] + `" NULL NULL NULL NULL`},
		{"too long quoted", h + "a,\"\n" + long + "\",,,,\n",
			"2! bad_quoting  \"a,\\\"\"\n3! bad_quoting  \"" + long + "\\\",,,,\""},
		{"invalid UTF-8", h + "a,\xff,,x,,\n", `2! invalid_utf8  "a,\xff,,x,,"`},
		{"field count before UTF-8", h + "a,\xff\n", `2! field_count  "a,\xff"`},
		{"quoting before field count", h + "a\",\xff\n", `2! bad_quoting  "a\",\xff"`},
		{"first column first", h + ",,,x,,\na,,,x,y,\na,,,,y,\n",
			"2! missing_key track_id \",,,x,,\"\n3! bad_integer popularity \"a,,,x,y,\"\n4! bad_integer duration_ms \"a,,,,y,\""},
		{"order and extras", "z,track_genre,\"track_id\",popularity,duration_ms,track_name,artists,\"y\n\"\n,g,a,1,2,n,r,\xff\n,g,a,1,2,n,r,\n",
			"3! invalid_utf8  \",g,a,1,2,n,r,\\xff\"\n4: \"a\" \"r\" \"n\" 1 2 \"g\""},
		{"missing columns", "track_id,artist,track_name,popularity,duration_ms\na,b,c,1,2\n",
			"error: songs: no column artists, track_genre; found track_id, artist, track_name, popularity, duration_ms"},
		{"twice", "track_id," + h, "error: songs: column track_id stands twice in the header"},
		{"extra twice", "x,x," + h + "1,2,a,b,c,1,2,d\n", `2: "a" "b" "c" 1 2 "d"`},
		{"bad header", "\"track_id,artists\n", "error: songs: the header has bad quoting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := show(t, c.in, schema.RawSongs); got != c.want {
				t.Errorf("got\n%.500s\nwant\n%.500s", got, c.want)
			}
		})
	}
}

func TestReadCSVTimes(t *testing.T) {
	got := show(t, "user_id,created_at\n1,1970-01-02\n2,1970-01-01 00:00:01\n3,\n4,1970-01-02Z\nx,y\n", schema.RawUsers)
	want := "2: 1 86400000000\n3: 2 1000000\n4: 3 NULL\n5! bad_timestamp created_at \"4,1970-01-02Z\"\n6! bad_integer user_id \"x,y\""
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got = show(t, "listen_time,track_id,user_id\n1970-01-02,a,1\n,,\n,a,1\n1970-01-01T00:00:00Z,é,-7\n", schema.RawStreams)
	want = "2! bad_timestamp listen_time \"1970-01-02,a,1\"\n3! missing_key user_id \",,\"\n4! missing_key listen_time \",a,1\"\n5: -7 \"é\" 0"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

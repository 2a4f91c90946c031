package oracle

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mss/internal/schema"
)

func input(songs, users, streams string) Input {
	return Input{
		Songs:   Source{"metadata/songs.csv", []byte("track_id,artists,track_name,popularity,duration_ms,track_genre\n" + songs)},
		Users:   Source{"metadata/users.csv", []byte("user_id,created_at\n" + users)},
		Streams: []Source{{"streams/a.csv", []byte("user_id,track_id,listen_time\n" + streams)}},
	}
}

func compute(t *testing.T, in Input, s schema.Semantics) *Result {
	t.Helper()
	res, err := Compute(in, s)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func lines(rows [][]any) string {
	var out []string
	for _, v := range rows {
		out = append(out, strings.ReplaceAll(strings.Trim(fmt.Sprint(v), "[]"), "<nil>", "-"))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func kpis(rows []schema.KPI) string {
	var out []string
	s := func(p *string) string {
		if p == nil {
			return "-"
		}
		return *p
	}
	f := func(p *float64) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprint(*p)
	}
	for _, k := range rows {
		out = append(out, fmt.Sprintf("%s %s %d %s %s %s %s", k.Type, s(k.GroupBy), k.ListenCount,
			f(k.AvgDuration), f(k.Popularity), s(k.TopTrack), s(k.TopArtist)))
	}
	return strings.Join(out, "\n")
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if want = strings.TrimSpace(want); got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

// One track in two genres with a conflicting and an exact duplicate, one without genre, one that
// no song knows; a user with two dates and one that users do not know.
var small = input(
	"t1,A,n1,5,100,rock\nt1,A,n2,7,200,rock\nt1,A,n2,7,200,rock\nt1,B,n3,,300,pop\nt2,,m,0,,\n",
	"1,2020-01-02\n1,2020-01-01\n1,\n2,\n",
	"1,t1,2024-01-01 10:00:00\n2,t1,2024-01-01 10:30:00\n3,t2,2024-01-01 10:59:59\n3,t9,1969-12-31 23:00:00\n")

func TestCorrected(t *testing.T) {
	res := compute(t, small, schema.Corrected)
	equal(t, "songs", lines(res.Songs), `
t1 A n2 7 200 rock false
t1 B n3 - 300 pop true
t2 - m 0 - - true`)
	equal(t, "users", lines(res.Users), "1 1577836800000000\n2 -")
	equal(t, "transformed", lines(res.Transformed["streams/a.csv"]), `
1 t1 1704103200000000 A n2 7 200 rock 1577836800000000 false
1 t1 1704103200000000 B n3 - 300 pop 1577836800000000 true
2 t1 1704105000000000 A n2 7 200 rock - false
2 t1 1704105000000000 B n3 - 300 pop - true
3 t2 1704106799000000 - m 0 - - - true
3 t9 -3600000000 - - - - - - true`)
	equal(t, "kpi", kpis(res.KPI), `
genre pop 2 300 - n3 B
genre rock 2 200 7 n2 A
genre - 2 - 0 m -
hourly 10 3 0.6666666666666666 - - B
hourly 23 1 1 - - -`)
}

func TestGlue(t *testing.T) {
	res := compute(t, small, schema.Glue)
	equal(t, "songs", lines(res.Songs), `
t1 A n1 5 100 rock false
t1 A n2 7 200 rock false
t1 A n2 7 200 rock false
t1 B n3 - 300 pop true
t2 - m 0 - - true`)
	equal(t, "users", lines(res.Users), "1 -\n1 1577836800000000\n1 1577923200000000\n2 -")
	rows := res.Transformed["streams/a.csv"]
	var primary [][]any
	for _, v := range rows {
		if v[9] == true {
			primary = append(primary, v)
		}
	}
	if len(rows) != 4*3+4+1+1 {
		t.Errorf("%d rows", len(rows))
	}
	equal(t, "primary", lines(primary), `
1 t1 1704103200000000 B n3 - 300 pop 1577836800000000 true
2 t1 1704105000000000 B n3 - 300 pop - true
3 t2 1704106799000000 - m 0 - - - true
3 t9 -3600000000 - - - - - - true`)
	// rock: 9 + 3 rows, of which a third has n1. Hour 10: 12 + 4 rows of t1, 12 of them A.
	equal(t, "kpi", kpis(res.KPI), `
genre pop 4 300 - n3 B
genre rock 12 166.66666666666666 6.333333333333333 n2 A
genre - 2 - 0 - -
hourly 10 3 0.11764705882352941 - - A
hourly 23 1 1 - - -`)
}

func TestTiesAndNulls(t *testing.T) {
	songs := "a,Z,x,1,,g\nb,Y,x,1,,g\nc,,w,1,,h\nd,Q,,1,,h\ne,Q,z,,5,i\nf,P,\"\",-9223372036854775808,7,i\nk,,,,,j\n"
	plays := ""
	for i, track := range []string{"a", "b", "c", "d", "e", "f", "k", "k", "c"} {
		plays += fmt.Sprintf("%d,%s,2024-01-01 00:00:00\n", i, track)
	}
	// NULL artists have 4 plays (c, c, k, k), Q has 2 (d, e), the others 1.
	equal(t, "corrected", kpis(compute(t, input(songs, "", plays), schema.Corrected).KPI), `
genre g 2 - 1 x Y
genre h 3 - 1 w -
genre i 2 6 -9.223372036854776e+18 - P
genre j 2 - - - -
hourly 0 9 0.7777777777777778 - - Q`)
	glue := compute(t, input(songs, "", plays), schema.Glue).KPI
	equal(t, "glue", kpis(glue[4:]), "hourly 0 9 0.7777777777777778 - - -")
	// Two plays each for NULL and for Q: NULL ranks last.
	glue = compute(t, input(songs, "", "1,c,2024-01-01 00:00:00\n1,d,2024-01-01 00:00:00\n"), schema.Glue).KPI
	equal(t, "glue tie", kpis(glue[1:]), "hourly 0 1 1 - - Q")
}

func TestExactMeans(t *testing.T) {
	// The sums are beyond int64, and float64 would lose the ones while adding.
	max := fmt.Sprint(math.MaxInt64)
	songs := "a,,,1," + max + ",g\nb,,,1," + max + ",g\nc,,,3,1,g\nd,,,,-" + max + ",h\ne,,," + max + ",-" + max + ",h\n"
	plays := ""
	for _, track := range []string{"a", "b", "c", "d", "e"} {
		plays += "1," + track + ",2024-01-01 00:00:00\n"
	}
	kpi := compute(t, input(songs, "", plays), schema.Corrected).KPI
	sum := float64(2) * float64(math.MaxInt64)
	if got := *kpi[0].AvgDuration; got != sum/3 {
		t.Errorf("got %v, want %v", got, sum/3)
	}
	if got := *kpi[0].Popularity; got != float64(5)/3 {
		t.Errorf("got %v", got)
	}
	if got := *kpi[1].AvgDuration; got != -float64(math.MaxInt64) {
		t.Errorf("got %v", got)
	}
}

func TestWarehouse(t *testing.T) {
	long := strings.Repeat("é", 200)
	k := Warehouse([]schema.KPI{{GroupBy: &long, TopTrack: &long}})[0]
	if *k.GroupBy != long[:100] || *k.TopTrack != long[:254] || k.TopArtist != nil {
		t.Errorf("cut to %d and %d bytes", len(*k.GroupBy), len(*k.TopTrack))
	}
}

package metadata

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/lake"
	"mss/internal/report"
	"mss/internal/schema"
)

// site is a lake in memory.
type site struct {
	*testing.T
	raw, curated *memblob.Bucket
	run          lake.Run
}

func newSite(t *testing.T, songs, users string) *site {
	s := &site{T: t, raw: memblob.New("raw"), curated: memblob.New("curated")}
	s.run = lake.Run{ID: "run", Semantics: schema.Corrected, Foreign: lake.ForeignStop, MaxRejectRatio: 0.5, Threads: 2,
		Log: slog.New(slog.DiscardHandler), Progress: report.NoProgress{}}
	s.put("metadata/songs.csv", songs)
	s.put("metadata/users.csv", users)
	return s
}

func (s *site) put(key, text string) {
	s.Helper()
	if _, err := s.raw.Write(context.Background(), key, []byte(text), blob.Cond{}); err != nil {
		s.Fatal(err)
	}
}

func (s *site) execute() (report.Job, error) {
	run := s.run.Quiet()
	return (&Job{Raw: s.raw, Curated: s.curated, Run: run}).Execute(context.Background())
}

func (s *site) must() report.Job {
	s.Helper()
	rep, err := s.execute()
	if err != nil {
		s.Fatal(err)
	}
	return rep
}

func (s *site) object(key string) []byte {
	s.Helper()
	data, _, err := s.curated.ReadAll(context.Background(), key)
	if err != nil {
		s.Fatal(err)
	}
	return data
}

const (
	songsKey = "processed-metadata/songs/songs.parquet"
	usersKey = "processed-metadata/users/users.parquet"
)

// rows are those of a Parquet object, as CSV without quotes; NULL is -.
func (s *site) rows(key string) (out []string) {
	s.Helper()
	data := s.object(key)
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		s.Fatal(err)
	}
	r := parquet.NewReader(f)
	defer r.Close()
	buf := make([]parquet.Row, 1)
	for {
		n, err := r.ReadRows(buf)
		if n == 0 {
			return out
		}
		if err != nil && n == 0 {
			s.Fatal(err)
		}
		var fields []string
		for _, v := range buf[0] {
			if v.IsNull() {
				fields = append(fields, "-")
			} else {
				fields = append(fields, v.String())
			}
		}
		out = append(out, strings.Join(fields, ","))
	}
}

func (s *site) want(key string, want ...string) {
	s.Helper()
	if got := s.rows(key); !slices.Equal(got, want) {
		s.Errorf("%s holds\n%s\nwant\n%s", key, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const (
	songsHead = "track_id,artists,track_name,popularity,duration_ms,track_genre\n"
	usersHead = "user_id,created_at\n"
)

// TestSongs has rows that share track and genre, and rows that share the track alone.
func TestSongs(t *testing.T) {
	lines := []string{
		"t2,b,n,5,100,rock",
		"t1,a,n,5,100,rock",
		"t1,a,n,5,100,rock", // again
		"t1,a,n,,100,jazz",  // no popularity ranks lowest
		"t1,a,n,0,100,jazz",
		"t1,a,n,-1,100,jazz",
		"t3,b,y,7,2,pop", // ties: track_name, artists, duration_ms
		"t3,b,x,7,2,pop",
		"t3,a,x,7,2,pop",
		"t3,a,x,7,1,pop",
		"t3,a,,7,0,pop", // NULL ranks last
		"t4,,,,,",
	}
	for range 5 {
		rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		s := newSite(t, songsHead+strings.Join(lines, "\n"), usersHead)
		rep := s.must()
		s.want(songsKey,
			"t1,a,n,0,100,jazz,true",
			"t1,a,n,5,100,rock,false",
			"t2,b,n,5,100,rock,true",
			"t3,a,x,7,1,pop,true",
			"t4,-,-,-,-,-,true")
		if rep.RowsIn != 12 || rep.RowsOut != 5 || rep.Collapsed != 7 {
			t.Errorf("%d rows in, %d out, %d collapsed", rep.RowsIn, rep.RowsOut, rep.Collapsed)
		}
	}
}

// micros is a time as Parquet holds it.
func micros(text string) string {
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// TestUsers has users who are there more than once: the earliest created_at stays.
func TestUsers(t *testing.T) {
	s := newSite(t, songsHead, usersHead+"7,2024-03-01\n7,2024-02-29 23:59:59.9999999\n-1,\n7,\n8,2024-01-01T00:00:00+02:00\n8,\n")
	s.must()
	s.want(usersKey, "-1,-", "7,"+micros("2024-02-29 23:59:59.999999"), "8,"+micros("2023-12-31 22:00:00"))
	s.run.Semantics = schema.Glue
	s.must()
	if n := len(s.rows(usersKey)); n != 6 {
		t.Errorf("%d users by glue semantics, which collapse nothing", n)
	}
}

// TestGlue keeps all rows, of which the first of each track is primary.
func TestGlue(t *testing.T) {
	s := newSite(t, songsHead+"t1,a,n,5,100,rock\nt1,a,n,5,100,rock\nt1,a,n,9,100,jazz\n", usersHead)
	s.run.Semantics = schema.Glue
	s.must()
	s.want(songsKey, "t1,a,n,9,100,jazz,true", "t1,a,n,5,100,rock,false", "t1,a,n,5,100,rock,false")
}

// TestSameBytes has many rows, in any order and by any number of threads.
func TestSameBytes(t *testing.T) {
	var lines []string
	for i := range 3000 {
		lines = append(lines, fmt.Sprintf("t%d,\"a, %d\",n%d,%d,%d,g%d", i%1000, i%7, i%11, i%100, 1000+i%13, i%17))
	}
	var first []byte
	for threads := 1; threads <= 4; threads++ {
		s := newSite(t, songsHead+strings.Join(lines, "\n"), usersHead)
		s.run.Threads = threads
		s.must()
		if data := s.object(songsKey); first == nil {
			first = data
		} else if !bytes.Equal(data, first) {
			t.Errorf("%d threads: other bytes", threads)
		}
		rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	}
}

// TestOneRefused has too many rejects among the users: the songs are not published either, and the rejects of both are kept.
func TestOneRefused(t *testing.T) {
	s := newSite(t, songsHead+"t1,a,n,5,100,rock\n,a,n,5,100,rock\n", usersHead+"1,2024-01-01\nx,2024-01-01\ny,2024-01-01\n")
	rep, err := s.execute()
	if !errors.Is(err, lake.ErrRefused) || rep.RowsOut != 0 || rep.Rejected["bad_integer"] != 2 || rep.Rejected["missing_key"] != 1 {
		t.Errorf("%v; %+v", err, rep)
	}
	all, err := s.curated.List(context.Background(), "processed-metadata/")
	if err != nil || len(all) > 0 {
		t.Errorf("published: %v, %v", all, err)
	}
	if n := bytes.Count(s.object("quarantine/users/users.csv.jsonl"), []byte("\n")); n != 2 {
		t.Errorf("%d rejected users are kept", n)
	}
	if n := bytes.Count(s.object("quarantine/songs/songs.csv.jsonl"), []byte("\n")); n != 1 {
		t.Errorf("%d rejected songs are kept", n)
	}
	s.put("metadata/users.csv", usersHead+"1,2024-01-01\n")
	s.must()
	if _, err := s.curated.Stat(context.Background(), "quarantine/users/users.csv.jsonl"); !errors.Is(err, blob.ErrNotExist) {
		t.Errorf("the rejects of the users' file that was replaced: %v", err)
	}
}

// TestOneChanged replaces the songs: the users are left alone.
func TestOneChanged(t *testing.T) {
	s := newSite(t, songsHead+"t1,a,n,5,100,rock\n", usersHead+"1,2024-01-01\n")
	s.must()
	before, err := s.curated.Stat(context.Background(), usersKey)
	if err != nil {
		t.Fatal(err)
	}
	if rep := s.must(); rep.Objects != 0 || rep.Sources["unchanged"] != 2 {
		t.Errorf("nothing is new: %+v", rep)
	}
	s.put("metadata/songs.csv", songsHead+"t2,a,n,5,100,rock\n")
	if rep := s.must(); rep.Objects != 1 || rep.Sources["replaced"] != 1 || rep.Sources["unchanged"] != 1 {
		t.Errorf("the songs are new: %+v", rep)
	}
	s.want(songsKey, "t2,a,n,5,100,rock,true")
	if after, err := s.curated.Stat(context.Background(), usersKey); err != nil || after.ETag != before.ETag {
		t.Errorf("the users were written again: %v", err)
	}
}

// TestWhichSource has no source of the songs, and two.
func TestWhichSource(t *testing.T) {
	s := newSite(t, songsHead, usersHead)
	s.put("metadata/songs.csv.gz", "")
	if _, err := s.execute(); err == nil || !strings.Contains(err.Error(), "both metadata/songs.csv and metadata/songs.csv.gz") {
		t.Error(err)
	}
	if err := s.raw.Delete(context.Background(), "metadata/songs.csv", "metadata/songs.csv.gz"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.execute(); err == nil || !strings.Contains(err.Error(), "neither metadata/songs.csv nor metadata/songs.csv.gz") {
		t.Error(err)
	}
	s.put("metadata/songs.csv", "track_id,artists\n")
	if _, err := s.execute(); err == nil || !strings.Contains(err.Error(), `"track_name"`) {
		t.Error(err)
	}
}

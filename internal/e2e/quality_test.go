package e2e

import (
	"fmt"
	"strings"
	"testing"

	"mss/internal/oracle"
	"mss/internal/schema"
)

// TestRefused has one bad row too many: nothing is published, what there was stays, and the rejects are kept.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, job, key, bad, folder, quarantine string
		good                                    func(i int) string
	}{
		{"songs", "metadata", "metadata/songs.csv", ",A,one,1,1,pop\n", "processed-metadata/", "quarantine/songs/songs.csv.jsonl",
			func(i int) string { return fmt.Sprintf("t%d,A,one,1,1,pop\n", i) }},
		{"users", "metadata", "metadata/users.csv", "x,2020-01-01\n", "processed-metadata/", "quarantine/users/users.csv.jsonl",
			func(i int) string { return fmt.Sprintf("%d,2020-01-01\n", i) }},
		{"streams", "integrate", "streams/a.csv", "1,t1,never\n", "mss-transformed/", "quarantine/streams/a.csv.jsonl",
			func(i int) string { return fmt.Sprintf("%d,t1,2024-06-01 10:00:00\n", i) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			lake := plenty(10)
			header, _, _ := strings.Cut(string(lake[c.key]), "\n")
			write := func(s *site, good, bad int) {
				t.Helper()
				text := header + "\n" + strings.Repeat(c.bad, bad)
				for i := range good {
					text += c.good(i)
				}
				lake[c.key] = []byte(text)
				if err := lake.Write(s.raw); err != nil {
					t.Fatal(err)
				}
			}
			s := newSite(t, lake)
			if c.job == "integrate" {
				s.must(t, "run", "metadata")
			}

			write(s, 98, 2) // 0.02 exceeds 0.01
			s.fails(t, 3, []string{c.name}, "run", c.job)
			objects := s.objects(t, "curated")
			if got := names(objects, c.folder); got != nil {
				t.Errorf("refused, but there is %v", got)
			}
			if got := len(parseRejects(t, c.quarantine, objects[c.quarantine])); got != 2 {
				t.Errorf("%d rejects are kept, want 2", got)
			}

			write(s, 99, 1) // 0.01 does not
			s.must(t, "run", c.job)
			s.fails(t, 3, nil, "run", c.job, "--max-reject-ratio", "0.009")
			before := s.objects(t, "curated")
			if got := len(parseRejects(t, c.quarantine, before[c.quarantine])); got != 1 {
				t.Errorf("%d rejects are kept, want 1", got)
			}

			write(s, 9, 3)
			s.fails(t, 3, nil, "run", c.job)
			after := s.objects(t, "curated")
			if got := len(parseRejects(t, c.quarantine, after[c.quarantine])); got != 3 {
				t.Errorf("%d rejects are kept, want 3", got)
			}
			before[c.quarantine] = after[c.quarantine]
			same(t, "after a refused run", after, before)

			write(s, 9, 0)
			s.must(t, "run", c.job, "--max-reject-ratio", "0")
			if got := names(s.objects(t, "curated"), "quarantine/"); got != nil {
				t.Errorf("all is well, but there is %v", got)
			}
		})
	}
}

// TestRatioOverAllFiles has a file that is all bad among others: the share of the dataset counts.
func TestRatioOverAllFiles(t *testing.T) {
	lake := plenty(399)
	lake["streams/bad.csv"] = []byte("user_id,track_id,listen_time\n1,,2024-06-01 10:00:00\n\n,t1,2024-06-01 10:00:00\n\"\n")
	s := newSite(t, lake)
	s.must(t, "run", "all")
	s.check(t, expect(t, lake, schema.Corrected))
	s.fails(t, 3, nil, "run", "integrate", "--max-reject-ratio", "0.0099")
}

// TestRatioExactly has as many rejects as are allowed; 0.29 * 100 is less than 29 in floating point.
func TestRatioExactly(t *testing.T) {
	for _, percent := range []int{7, 28, 29, 57, 58, 99} {
		s := newSite(t, raw("", "", strings.Repeat("x,t,2024-06-01 10:00:00\n", percent)+
			strings.Repeat("1,t,2024-06-01 10:00:00\n", 100-percent)))
		s.must(t, "run", "metadata")
		s.must(t, "run", "integrate", "--max-reject-ratio", fmt.Sprintf("0.%02d", percent))
		s.fails(t, 3, nil, "run", "integrate", "--max-reject-ratio", fmt.Sprintf("0.%02d99", percent-1))
	}
}

// TestMissingColumn wants a message that names the file, the missing column and the columns found.
func TestMissingColumn(t *testing.T) {
	for _, c := range []struct{ job, key, header, missing string }{
		{"metadata", "metadata/songs.csv", "track_id,artist,track_name,popularity,duration_ms,track_genre", "artists"},
		{"metadata", "metadata/songs.csv", "track_id,artists,track_name,popularity,duration_ms,genre", "track_genre"},
		{"metadata", "metadata/users.csv", "user_id,signup", "created_at"},
		{"integrate", "streams/a.csv", "user,track_id,listen_time", "user_id"},
		{"integrate", "streams/a.csv", "user_id,track_id,Listen_Time", "listen_time"},
	} {
		t.Run(c.missing, func(t *testing.T) {
			lake := plenty(10)
			lake[c.key] = []byte(c.header + "\n")
			lake["streams/b.csv"] = plenty(5)["streams/a.csv"]
			s := newSite(t, lake)
			if c.job == "integrate" {
				s.must(t, "run", "metadata")
			}
			before := s.data(t)
			words := append(strings.Split(c.header, ","), c.key, c.missing)
			s.fails(t, 1, words, "run", c.job)
			same(t, "after the failed run", s.data(t), before)
		})
	}
}

// TestBrokenGzip wants a failure that names the file, not the plays that could be read.
func TestBrokenGzip(t *testing.T) {
	whole := oracle.Gzip(plenty(500)["streams/a.csv"])
	flipped := append([]byte{}, whole...)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for name, data := range map[string][]byte{
		"no gzip": []byte("user_id,track_id,listen_time\n"), "cut off": whole[:len(whole)-20], "without its end": whole[:len(whole)-8],
		"wrong checksum": flipped,
	} {
		t.Run(name, func(t *testing.T) {
			lake := plenty(10)
			lake["streams/b.csv.gz"] = data
			s := newSite(t, lake)
			s.must(t, "run", "metadata")
			before := s.data(t)
			s.fails(t, 1, []string{"streams/b.csv.gz"}, "run", "integrate")
			same(t, "after the failed run", s.data(t), before)
		})
	}
}

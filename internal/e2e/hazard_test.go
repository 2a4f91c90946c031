package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"mss/internal/oracle"
	"mss/internal/schema"
)

// TestHazards runs seeded lakes in both semantics with several numbers of threads, over several splits
// into files, and wants what the oracle says, twice, and with the same bytes whatever the threads.
func TestHazards(t *testing.T) {
	for seed := range uint64(8) {
		lake := oracle.Hazard{
			Seed: 100 + seed, Songs: 150, Users: 40, Plays: 600, Files: []int{1, 2, 3, 9}[seed%4], Bad: float64(seed%3) * 0.05,
		}.New()
		for _, semantics := range []schema.Semantics{schema.Corrected, schema.Glue} {
			t.Run(fmt.Sprintf("seed %d %s", seed, semantics), func(t *testing.T) {
				t.Parallel()
				want := expect(t, lake, semantics)
				var first oracle.Lake
				for _, threads := range []string{"1", "2", "7"} {
					s := newSite(t, lake)
					args := []string{"run", "all", "--semantics", string(semantics), "--threads", threads, "--max-reject-ratio", "1"}
					s.must(t, args...)
					s.check(t, want)
					data, table := s.data(t), s.table(t, "kpi_table")
					if first == nil {
						first = data
					}
					same(t, threads+" threads", data, first)
					s.must(t, args...)
					same(t, "second run", s.data(t), first)
					multiset(t, "kpi_table after the second run", s.table(t, "kpi_table"), table)
					if t.Failed() {
						return
					}
				}
			})
		}
	}
}

// TestBigFile has one file of tens of megabytes, which threads share by ranges of bytes: few plays, but
// each with an extra column of quotes, line ends and commas that must not mislead them.
func TestBigFile(t *testing.T) {
	lake := oracle.Hazard{Seed: 7, Songs: 100, Users: 30, Plays: 4000, Files: 1, Bad: 0.02, Padding: 6000}.New()
	in, err := lake.Input()
	if err != nil {
		t.Fatal(err)
	}
	plain, packed := "", oracle.Lake{}
	for _, source := range in.Streams {
		if len(source.Data) > 20<<20 {
			plain = source.Key
		}
	}
	if plain == "" || strings.HasSuffix(plain, ".gz") {
		t.Fatalf("no big plain file: choose another seed")
	}
	want := expect(t, lake, schema.Corrected)
	if len(want.Rejects[plain]) < 1000 {
		t.Fatalf("no field longer than 1 MiB, of which each line is a reject: choose another seed")
	}
	var first oracle.Lake
	for _, threads := range []string{"1", "2", "5"} {
		s := newSite(t, lake)
		s.must(t, "run", "all", "--threads", threads, "--max-reject-ratio", "1")
		s.check(t, want)
		if first == nil {
			first = s.data(t)
		}
		same(t, threads+" threads", s.data(t), first)
	}

	maps.Copy(packed, lake)
	packed[plain+".gz"] = oracle.Gzip(packed[plain])
	delete(packed, plain)
	s := newSite(t, packed)
	s.must(t, "run", "all", "--max-reject-ratio", "1")
	multiset(t, "KPI objects of the compressed file", kpiObjects(t, s.objects(t, "analytics")), kpiRows(want.KPI))
	key := oracle.Object(plain + ".gz")
	multiset(t, key, rowsOf(t, key, s.objects(t, "curated")[key], schema.Transformed), want.Transformed[plain])
	for _, r := range quarantined(t, s.objects(t, "curated")) {
		if r[0] == plain+".gz" {
			want.Rejects[plain] = want.Rejects[plain][1:]
		}
	}
	if n := len(want.Rejects[plain]); n != 0 {
		t.Errorf("%d rejects more or fewer in the compressed file", n)
	}
}

// TestManyTracks has more tracks, and more plays in a file, than fit in one batch of anything.
func TestManyTracks(t *testing.T) {
	lake := oracle.Hazard{Seed: 13, Songs: 7000, Users: 60, Plays: 25000, Files: 2, Bad: 0.01}.New()
	for _, semantics := range []schema.Semantics{schema.Corrected, schema.Glue} {
		s := newSite(t, lake)
		s.must(t, "run", "all", "--semantics", string(semantics), "--max-reject-ratio", "1")
		s.check(t, expect(t, lake, semantics))
	}
}

// TestSplits spreads the same good plays over other files: the KPIs stay.
func TestSplits(t *testing.T) {
	lake := oracle.Hazard{Seed: 3, Songs: 150, Users: 40, Plays: 500, Files: 1}.New()
	in, err := lake.Input()
	if err != nil {
		t.Fatal(err)
	}
	want := expect(t, lake, schema.Corrected)
	one := newSite(t, lake)
	one.must(t, "run", "all")
	one.check(t, want)

	// The rows of the only file with rows, written anew as three plain files and a compressed one.
	var parts [4][]byte
	for i := range parts {
		parts[i] = []byte("listen_time,track_id,user_id\n")
	}
	for _, source := range in.Streams {
		rows, _, err := oracle.ReadCSV(source.Data, schema.RawStreams)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rows {
			parts[i%4] = append(parts[i%4], oracle.FormatPlay(r)...)
		}
		delete(lake, source.Key)
	}
	lake["streams/a.csv"], lake["streams/b.csv"], lake["streams/a/a.csv"] = parts[0], parts[1], parts[2]
	lake["streams/a.csv.gz"] = oracle.Gzip(parts[3])
	four := newSite(t, lake)
	four.must(t, "run", "all")
	four.check(t, expect(t, lake, schema.Corrected))
	multiset(t, "kpi_table", four.table(t, "kpi_table"), one.table(t, "kpi_table"))
}

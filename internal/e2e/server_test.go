package e2e

import (
	"path/filepath"
	"testing"

	"mss/internal/blob/s3test"
	"mss/internal/oracle"
	"mss/internal/redshift/pgtest"
	"mss/internal/schema"
)

// newServerSite makes the places in a bucket of a real S3 server, and the warehouse in a real PostgreSQL.
func newServerSite(t *testing.T, raw oracle.Lake) *site {
	t.Helper()
	server := s3test.New(t)
	server.Setenv(t)
	s := &site{
		raw: server.URL + "/raw", curated: server.URL + "/curated", analytics: server.URL + "/analytics", temp: server.URL + "/temp",
		folders:   map[string]string{},
		warehouse: pgtest.New(t),
	}
	for _, place := range []string{"raw", "curated", "analytics", "temp"} {
		s.folders[place] = filepath.Join(server.Dir, place)
	}
	if err := raw.Write(s.folders["raw"]); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestServers runs the same input on S3 with PostgreSQL and on folders with SQLite.
func TestServers(t *testing.T) {
	lake := oracle.Hazard{Seed: 11, Songs: 150, Users: 40, Plays: 600, Files: 5, Bad: 0.05}.New()
	for _, semantics := range []schema.Semantics{schema.Corrected, schema.Glue} {
		t.Run(string(semantics), func(t *testing.T) {
			want := expect(t, lake, semantics)
			args := []string{"run", "all", "--max-reject-ratio", "1", "--semantics", string(semantics)}
			folder := newSite(t, lake)
			folder.must(t, args...)
			folder.check(t, want)

			s := newServerSite(t, lake)
			s.must(t, args...)
			s.check(t, want)
			first, table := s.data(t), s.table(t, "kpi_table")
			same(t, "S3 and folders", first, folder.data(t))
			multiset(t, "PostgreSQL and SQLite", table, folder.table(t, "kpi_table"))

			s.must(t, args...)
			same(t, "second run", s.data(t), first)
			multiset(t, "kpi_table after the second run", s.table(t, "kpi_table"), table)
			if left := s.objects(t, "temp"); len(left) > 0 {
				t.Errorf("left in the temp place: %v", names(left, ""))
			}
		})
	}
}

// TestServersRefuse has rejects, a foreign object and a changed input on real servers.
func TestServersRefuse(t *testing.T) {
	lake := plenty(30)
	s := newServerSite(t, lake)
	s.must(t, "run", "all")
	s.check(t, expect(t, lake, schema.Corrected))
	before, table := s.data(t), s.table(t, "kpi_table")

	header := "user_id,track_id,listen_time\n"
	bad := oracle.Lake{"streams/b/é.csv": []byte(header + "1,t0,never\n")}
	if err := bad.Write(s.folders["raw"]); err != nil {
		t.Fatal(err)
	}
	s.fails(t, 3, nil, "run", "all")
	after := s.data(t)
	if len(parseRejects(t, "b/é.csv", after["curated/quarantine/streams/b/é.csv.jsonl"])) != 1 {
		t.Errorf("the reject is not kept")
	}
	before["curated/quarantine/streams/b/é.csv.jsonl"] = after["curated/quarantine/streams/b/é.csv.jsonl"]
	same(t, "after the refused run", after, before)
	multiset(t, "kpi_table after the refused run", s.table(t, "kpi_table"), table)

	bad["streams/b/é.csv"] = []byte(header + "1,t0,2024-06-01 10:00:00\n")
	if err := bad.Write(s.folders["raw"]); err != nil {
		t.Fatal(err)
	}
	lake["streams/b/é.csv"] = bad["streams/b/é.csv"]
	foreign := oracle.Lake{"mss-transformed/part-0.parquet": before["curated/mss-transformed/a.csv.parquet"]}
	if err := foreign.Write(s.folders["curated"]); err != nil {
		t.Fatal(err)
	}
	s.fails(t, 1, []string{"mss-transformed/part-0.parquet"}, "run", "integrate")
	s.must(t, "run", "all", "--foreign", "remove")
	s.check(t, expect(t, lake, schema.Corrected))
}

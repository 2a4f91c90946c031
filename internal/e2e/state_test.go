package e2e

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mss/internal/oracle"
	"mss/internal/schema"
)

// TestForeign puts an object of another writer into each output folder.
func TestForeign(t *testing.T) {
	done := newSite(t, plenty(10))
	done.must(t, "run", "all")
	for _, c := range []struct{ job, place, key, model string }{
		{"metadata", "curated", "processed-metadata/songs/part-0.snappy.parquet", "processed-metadata/songs/songs.parquet"},
		{"metadata", "curated", "processed-metadata/users/run=1/part-0.parquet", "processed-metadata/users/users.parquet"},
		{"integrate", "curated", "mss-transformed/part-0.parquet", "mss-transformed/a.csv.parquet"},
		{"kpi", "analytics", "kpi_output/kpi_type=genre/part-0.parquet", "kpi_output/kpi_type=genre/kpi.parquet"},
	} {
		t.Run(c.key, func(t *testing.T) {
			t.Parallel()
			lake := plenty(20)
			s := newSite(t, lake)
			switch c.job {
			case "kpi":
				s.must(t, "run", "metadata")
				s.must(t, "run", "integrate")
			case "integrate":
				s.must(t, "run", "metadata")
			}
			foreign := oracle.Lake{c.key: done.objects(t, c.place)[c.model], "processed-metadata/_SUCCESS": nil}
			if err := foreign.Write(s.folders[c.place]); err != nil {
				t.Fatal(err)
			}
			before := s.data(t)
			s.fails(t, 1, []string{c.key}, "run", c.job)
			same(t, "after the failed run", s.data(t), before)

			s.must(t, "run", "all", "--foreign", "ignore")
			if !slices.Contains(names(s.objects(t, c.place), ""), c.key) {
				t.Errorf("ignored, but gone")
			}
			multiset(t, "kpi_table beside a foreign object", s.table(t, "kpi_table"), kpiRows(expect(t, lake, schema.Corrected).KPI))
			s.fails(t, 1, []string{c.key}, "run", c.job)

			s.must(t, "run", "all", "--foreign", "remove")
			objects := s.objects(t, c.place)
			if slices.Contains(names(objects, ""), c.key) {
				t.Errorf("not removed")
			}
			if c.place == "curated" && !slices.Contains(names(objects, ""), "processed-metadata/_SUCCESS") {
				t.Errorf("_SUCCESS is no Parquet object, but gone")
			}
			s.check(t, expect(t, lake, schema.Corrected))
			s.must(t, "run", "all")
		})
	}
}

// TestLakeWithoutSnapshot takes over transformed objects of another writer: kpi reads all there are.
func TestLakeWithoutSnapshot(t *testing.T) {
	lake := plenty(50)
	lake["streams/b.csv"] = lake["streams/a.csv"]
	done := newSite(t, lake)
	done.must(t, "run", "all")
	s := newSite(t, oracle.Lake{})
	objects := done.objects(t, "curated")
	moved := oracle.Lake{"mss-transformed/_SUCCESS": nil}
	for i, key := range names(objects, "mss-transformed/") {
		moved["mss-transformed/part-0000"+string(rune('0'+i))+".parquet"] = objects[key]
	}
	if err := moved.Write(s.curated); err != nil {
		t.Fatal(err)
	}
	s.must(t, "run", "kpi")
	multiset(t, "kpi_table", s.table(t, "kpi_table"), done.table(t, "kpi_table"))
}

// TestSemanticsMismatch wants exit 2 and the command that helps.
func TestSemanticsMismatch(t *testing.T) {
	s := newSite(t, plenty(10))
	s.must(t, "run", "metadata")
	s.fails(t, 2, []string{"mss run metadata", "glue"}, "run", "integrate", "--semantics", "glue")
	s.must(t, "run", "integrate")
	s.fails(t, 2, []string{"mss run integrate", "glue"}, "run", "kpi", "--semantics", "glue")
	s.must(t, "run", "metadata", "--semantics", "glue")
	before := s.data(t)
	s.fails(t, 2, []string{"mss run metadata", "corrected"}, "run", "integrate")
	same(t, "after the failed run", s.data(t), before)
	s.must(t, "run", "integrate", "--semantics", "glue")
	s.must(t, "run", "kpi", "--semantics", "glue")
	s.must(t, "run", "all")
	s.check(t, expect(t, plenty(10), schema.Corrected))
}

// TestChangingInput follows a lake as files come, change, and go.
func TestChangingInput(t *testing.T) {
	lake := plenty(30)
	s := newSite(t, lake)
	step := func(what string, change func()) {
		t.Helper()
		change()
		s.replaceRaw(t, lake)
		s.must(t, "run", "all", "--max-reject-ratio", "1")
		s.check(t, expect(t, lake, schema.Corrected))
		if t.Failed() {
			t.Fatalf("after: %s", what)
		}
	}
	header := "user_id,track_id,listen_time\n"
	step("nothing", func() {})
	step("a file comes", func() { lake["streams/2024/b.csv"] = []byte(header + "1,t0,2024-06-01 05:00:00\nx,t0,y\n") })
	step("a file changes at equal length", func() { lake["streams/2024/b.csv"] = []byte(header + "1,t1,2024-06-01 06:00:00\nx,t1,z\n") })
	step("songs change", func() { lake["metadata/songs.csv"] = raw("t0,C,three,1,100,jazz\n", "", "")["metadata/songs.csv"] })
	step("songs lose their rows", func() { lake["metadata/songs.csv"] = raw("", "", "")["metadata/songs.csv"] })
	step("users change", func() { lake["metadata/users.csv"] = raw("", "1,2019-01-01\n", "")["metadata/users.csv"] })
	step("songs come compressed", func() {
		lake["metadata/songs.csv.gz"] = oracle.Gzip(raw("t1,D,four,1,100,pop\n", "", "")["metadata/songs.csv"])
		delete(lake, "metadata/songs.csv")
	})
	step("plays go", func() { lake["streams/2024/b.csv"], lake["streams/a.csv"] = []byte(header), []byte(header) })
	step("plays come back", func() { lake["streams/a.csv"] = plenty(30)["streams/a.csv"] })
}

// TestVanishedSource removes a source: its plays stay, or go with it.
func TestVanishedSource(t *testing.T) {
	lake := plenty(30)
	lake["streams/b.csv"] = lake["streams/a.csv"]
	s := newSite(t, lake)
	s.must(t, "run", "all")
	all := maps.Clone(lake)
	delete(lake, "streams/a.csv")
	s.replaceRaw(t, lake)
	s.must(t, "run", "all")
	s.check(t, expect(t, all, schema.Corrected))
	s.fails(t, 1, []string{"streams/a.csv", "--on-missing-source"}, "run", "all", "--on-missing-source", "fail")
	s.must(t, "run", "all", "--on-missing-source", "remove")
	s.check(t, expect(t, lake, schema.Corrected))
}

// TestAllSourcesVanished: a raw place without any plays is more likely the wrong place than the end of all listening.
func TestAllSourcesVanished(t *testing.T) {
	lake := plenty(30)
	s := newSite(t, lake)
	s.must(t, "run", "all")
	before := s.data(t)
	delete(lake, "streams/a.csv")
	s.replaceRaw(t, lake)
	s.fails(t, 1, []string{"no plays", "--raw"}, "run", "integrate", "--on-missing-source", "remove")
	if o := s.must(t, "run", "all"); !strings.Contains(o.stderr, "there are no plays") {
		t.Errorf("nothing is said about it:\n%s", o.stderr)
	}
	if after := s.data(t); !reflect.DeepEqual(after, before) {
		t.Error("data objects changed")
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mss/internal/oracle"
	"mss/internal/schema"
)

// wantWords runs the program, and wants words on stderr, or none of them.
func (s *site) wantWords(t *testing.T, what string, want bool, words string, args ...string) {
	t.Helper()
	if o := s.must(t, args...); strings.Contains(o.stderr, words) != want {
		t.Errorf("%s: %q is said: %v, want %v: %s", what, words, !want, want, o.stderr)
	}
}

// TestRenamed: a raw object that was renamed or zipped looks like one that is gone and one that is new, so its plays count twice. That is said, also by later runs.
func TestRenamed(t *testing.T) {
	lake := days(3)
	s := newSite(t, lake)
	s.must(t, "run", "all")
	delete(lake, "streams/01.csv")
	s.replaceRaw(t, lake)
	s.wantWords(t, "gone", false, "count twice", "run", "all")
	lake["streams/old/01.csv"] = days(1)["streams/01.csv"]
	s.replaceRaw(t, lake)
	for range 2 {
		s.wantWords(t, "renamed", true, "streams/01.csv and streams/old/01.csv", "run", "all")
	}
	delete(lake, "streams/02.csv")
	lake["streams/02.csv.gz"] = oracle.Gzip(days(2)["streams/02.csv"])
	s.replaceRaw(t, lake)
	s.wantWords(t, "zipped", true, "objects=2", "run", "all")
	s.wantWords(t, "given up", false, "count twice", "run", "all", "--on-missing-source", "remove")
	s.check(t, expect(t, lake, schema.Corrected))
}

// TestCopied: a raw object that is there under two names counts twice, as the contract says; by every run that is said.
func TestCopied(t *testing.T) {
	lake := days(3)
	s := newSite(t, lake)
	s.wantWords(t, "all are different", false, "same bytes", "run", "all")
	lake["streams/copy/01.csv"] = lake["streams/01.csv"]
	lake["streams/empty.csv"], lake["streams/empty2.csv"] = []byte(playsHeader), []byte(playsHeader)
	s.replaceRaw(t, lake)
	for range 2 {
		s.wantWords(t, "a copy", true, `objects=1 such_as="streams/01.csv and streams/copy/01.csv"`, "run", "all")
	}
	s.check(t, expect(t, lake, schema.Corrected))
	delete(lake, "streams/copy/01.csv")
	s.replaceRaw(t, lake)
	s.wantWords(t, "the copy is gone", false, "same bytes", "run", "all", "--on-missing-source", "remove")
	s.check(t, expect(t, lake, schema.Corrected))
}

// TestZippedBeside: a raw object that is there plain and zipped counts twice, and every run says so.
func TestZippedBeside(t *testing.T) {
	lake := days(2)
	s := newSite(t, lake)
	s.wantWords(t, "all are plain", false, "with and without .gz", "run", "all")
	lake["streams/01.csv.gz"] = oracle.Gzip(lake["streams/01.csv"])
	s.replaceRaw(t, lake)
	for range 2 {
		s.wantWords(t, "both are there", true, `pairs=1 such_as="streams/01.csv and streams/01.csv.gz"`, "run", "all")
	}
	s.check(t, expect(t, lake, schema.Corrected))
}

// TestAllRejected: a day of which nothing can be read may be too small a part of the whole input to stop the run. Every run says so.
func TestAllRejected(t *testing.T) {
	lake := days(3)
	lake["streams/03.csv"] = bytes.ReplaceAll(lake["streams/03.csv"], []byte("-"), []byte("/"))
	lake["streams/empty.csv"] = []byte(playsHeader)
	s := newSite(t, lake)
	for range 2 {
		s.wantWords(t, "nothing can be read", true, "every row was rejected: their days are missing", "run", "all", "--max-reject-ratio", "0.9")
		s.wantWords(t, "nothing can be read", true, "objects=1 such_as=streams/03.csv", "run", "all", "--max-reject-ratio", "0.9")
	}
	s.check(t, expect(t, lake, schema.Corrected))
}

// TestNoSongs: a file without rows is read, since the contract says so, but not without a word.
func TestNoSongs(t *testing.T) {
	lake := days(1)
	s := newSite(t, lake)
	s.wantWords(t, "whole", false, "holds no songs", "run", "all")
	lake["metadata/songs.csv"] = nil
	s.replaceRaw(t, lake)
	for range 2 {
		s.wantWords(t, "empty", true, "metadata/songs.csv holds no songs", "run", "all")
	}
}

// TestRangeOfReplaced: whether a source that was replaced has plays in the range is up to what it holds now, too.
func TestRangeOfReplaced(t *testing.T) {
	lake := days(3)
	s := newSite(t, lake)
	s.must(t, "run", "all")
	lake["streams/01.csv"] = []byte(playsHeader + "1,t1,2024-06-01 12:00:00\n1,t1,2024-06-20 12:00:00\nbad\n")
	lake["streams/02.csv"] = []byte(playsHeader + "1,t1,2024-06-02 12:00:00\n")
	s.replaceRaw(t, lake)
	args := []string{"run", "all", "--max-reject-ratio", "1"}
	wantSources(t, "into the range", s.sources(t, append(args, "--from", "2024-06-20")...)["integrate"], map[string]int{"replaced": 1, "outside": 1, "unchanged": 1})
	between := days(3)
	between["streams/01.csv"] = lake["streams/01.csv"]
	s.check(t, expect(t, between, schema.Corrected))
	wantSources(t, "then all", s.sources(t, args...)["integrate"], map[string]int{"replaced": 1, "unchanged": 2})
	s.check(t, expect(t, lake, schema.Corrected))
}

// TestPlanForeign: the plan names what --foreign remove deletes, and stops where the run would.
func TestPlanForeign(t *testing.T) {
	s := newSite(t, days(1))
	s.must(t, "run", "all")
	for _, c := range []struct{ place, key string }{{"curated", "processed-metadata/songs/part-0.parquet"}, {"curated", "mss-transformed/part-0.parquet"},
		{"analytics", "kpi_output/part-0.parquet"}} {
		path := filepath.Join(s.folders[c.place], c.key)
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		s.fails(t, 1, []string{c.key, "--foreign"}, "plan")
		if o := s.must(t, "plan", "--foreign", "remove"); !strings.Contains(o.stdout, c.key+", which mss did not write, is deleted") || !strings.Contains(o.stdout, "kpi_table holds all") {
			t.Errorf("%s: the plan says nothing about it: %s", c.key, o.stdout)
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
		s.must(t, "run", "all", "--foreign", "remove")
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", c.key)
		}
	}
}

// TestDamagedRecord: one record that cannot be read does not hide the others.
func TestDamagedRecord(t *testing.T) {
	s := newSite(t, days(1))
	s.must(t, "run", "all")
	good, err := filepath.Glob(filepath.Join(s.folders["curated"], "_mss/runs/*.json"))
	if err != nil || len(good) != 1 {
		t.Fatal(good, err)
	}
	run := strings.TrimSuffix(filepath.Base(good[0]), ".json")
	for name, data := range map[string]string{"29990101T000000Z-000001": `{"format": 1,`, "29990101T000000Z-000002": "{}", "29990101T000000Z-000003": `{"format": 99}`} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(good[0]), name+".json"), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		o := s.must(t, "history")
		if !strings.Contains(o.stdout, run) || strings.Contains(o.stdout, "0001-01-01") || !strings.Contains(o.stderr, name) {
			t.Errorf("with %s:\n%s%s", data, o.stdout, o.stderr)
		}
		s.fails(t, 1, []string{name}, "history", "show", name)
	}
}

// TestNameIsNoUTF8: a snapshot could not list what comes of such a raw object, so that the next run would take it for foreign.
func TestNameIsNoUTF8(t *testing.T) {
	s := newSite(t, days(1))
	path := filepath.Join(s.folders["raw"], "streams", "caf\xe9.csv")
	if err := os.WriteFile(path, []byte(playsHeader), 0o644); err != nil {
		t.Fatalf("this test needs a file system that takes names of any bytes, as those of Linux do: %v", err)
	}
	s.fails(t, 1, []string{`caf\xe9.csv`, "not UTF-8", "rename it"}, "run", "all")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.must(t, "run", "all")
}

// TestGivenUp: the remedy for one source that is lost for good does not cost the plays of the others whose raw objects are gone.
func TestGivenUp(t *testing.T) {
	lake := days(4)
	s := newSite(t, lake)
	s.must(t, "run", "all")
	delete(lake, "streams/01.csv")
	delete(lake, "streams/02.csv")
	s.replaceRaw(t, lake)
	if err := os.Remove(filepath.Join(s.folders["curated"], "mss-transformed/01.csv.parquet")); err != nil {
		t.Fatal(err)
	}
	s.fails(t, 1, []string{"streams/01.csv is gone", "a header alone"}, "run", "all")
	lake["streams/01.csv"] = []byte(playsHeader)
	s.replaceRaw(t, lake)
	s.must(t, "run", "all")
	lake["streams/02.csv"] = days(2)["streams/02.csv"]
	s.check(t, expect(t, lake, schema.Corrected))
}

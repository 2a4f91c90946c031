package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mss/internal/oracle"
	"mss/internal/report"
	"mss/internal/schema"
)

const playsHeader = "user_id,track_id,listen_time\n"

// days is a raw lake of one file of plays a day.
func days(n int) oracle.Lake {
	lake := raw("t0,A,one,1,100,pop\nt1,B,two,2,200,rock\n", "0,2020-01-01\n1,2020-01-02\n", "")
	delete(lake, "streams/a.csv")
	for d := 1; d <= n; d++ {
		lake[fmt.Sprintf("streams/%02d.csv", d)] = fmt.Appendf(nil, playsHeader+"%d,t%d,2024-06-%02d 10:00:00\n%d,t%d,2024-06-%02d 23:59:59\n", d%2, d%2, d, d%3, d%3, d)
	}
	return lake
}

// age makes files look as if they had been there for long: what was just written is looked at twice.
func (s *site) age(t *testing.T) {
	t.Helper()
	long := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(s.folders["raw"], func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, long, long)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sources runs the program, and gives for each job what was done with the sources.
func (s *site) sources(t *testing.T, args ...string) map[string]map[string]int {
	t.Helper()
	out := map[string]map[string]int{}
	for _, j := range document(t, s.must(t, append(args, "--output", "json")...).stdout).Jobs {
		out[j.Job] = j.Sources
	}
	return out
}

func wantSources(t *testing.T, what string, got map[string]int, want map[string]int) {
	t.Helper()
	maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
	if !maps.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestOnlyWhatIsNew wants a run to read what is new or changed, and nothing else.
func TestOnlyWhatIsNew(t *testing.T) {
	lake := days(3)
	s := newSite(t, lake)
	s.age(t)
	wantSources(t, "first", s.sources(t, "run", "all")["integrate"], map[string]int{"new": 3})
	got := s.sources(t, "run", "all")
	wantSources(t, "nothing", got["metadata"], map[string]int{"unchanged": 2})
	wantSources(t, "nothing", got["integrate"], map[string]int{"unchanged": 3})

	step := func(what string, want map[string]int, args ...string) {
		t.Helper()
		s.replaceRaw(t, lake)
		s.age(t)
		wantSources(t, what, s.sources(t, append([]string{"run", "all"}, args...)...)["integrate"], want)
		s.check(t, expect(t, lake, schema.Corrected))
	}
	// The files are others now, with other times, but the same bytes.
	step("copied", map[string]int{"unchanged": 3})
	lake["streams/04.csv"] = []byte(playsHeader + "1,t1,1999-01-01 00:00:00\n")
	step("a late file", map[string]int{"unchanged": 3, "new": 1})
	lake["streams/02.csv"] = []byte(strings.Replace(string(lake["streams/02.csv"]), "10:00:00", "11:00:00", 1))
	step("replaced at equal length", map[string]int{"unchanged": 3, "replaced": 1})
	lake["metadata/users.csv"] = append(lake["metadata/users.csv"], "2,2021-01-01\n"...)
	step("another user", map[string]int{"metadata": 4})
	// The same users in other bytes.
	lake["metadata/users.csv"] = []byte(strings.ReplaceAll(string(lake["metadata/users.csv"]), "\n", "\r\n"))
	step("the same users", map[string]int{"unchanged": 4})
	step("everything", map[string]int{"full": 4}, "--full")
	if err := os.Remove(filepath.Join(s.curated, "mss-transformed/03.csv.parquet")); err != nil {
		t.Fatal(err)
	}
	step("an output is gone", map[string]int{"unchanged": 3, "damaged": 1})
	if err := os.WriteFile(filepath.Join(s.curated, "mss-transformed/03.csv.parquet"), []byte("no Parquet"), 0o644); err != nil {
		t.Fatal(err)
	}
	step("an output is another", map[string]int{"unchanged": 3, "damaged": 1})
}

// TestInPlace rewrites a file in place, at equal length, and sets its time back: its time and size are as before.
func TestInPlace(t *testing.T) {
	lake := days(1)
	s := newSite(t, lake)
	name := filepath.Join(s.raw, "streams/01.csv")
	for i := range 10 {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		s.must(t, "run", "all")
		s.check(t, expect(t, lake, schema.Corrected))
		lake["streams/01.csv"] = fmt.Appendf(nil, playsHeader+"1,t1,2024-06-01 1%d:00:00\n2,t2,2024-06-01 23:59:59\n", i)
		if err := os.WriteFile(name, lake["streams/01.csv"], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVanishedAndJoinedAgain changes songs and users when a raw object is gone: its plays are joined again from what there is.
func TestVanishedAndJoinedAgain(t *testing.T) {
	lake := oracle.Hazard{Seed: 33, Songs: 150, Users: 40, Plays: 2000, Files: 4, Bad: 0.05}.New()
	other := oracle.Hazard{Seed: 34, Songs: 200, Users: 60, Plays: 1, Files: 1}.New()
	s := newSite(t, lake)
	args := []string{"run", "all", "--max-reject-ratio", "1"}
	s.must(t, args...)
	all := maps.Clone(lake)
	for key := range lake {
		if strings.HasPrefix(key, "streams/") && strings.Contains(key, "p1") {
			delete(lake, key)
		}
		if strings.HasPrefix(key, "metadata/") {
			delete(lake, key)
			delete(all, key)
		}
	}
	for key, data := range other {
		if strings.HasPrefix(key, "metadata/") {
			lake[key], all[key] = data, data
		}
	}
	for _, semantics := range []schema.Semantics{schema.Corrected, schema.Glue} {
		s.replaceRaw(t, lake)
		s.must(t, append(args, "--semantics", string(semantics))...)
		s.check(t, expect(t, all, semantics))
		clean := newSite(t, all)
		clean.must(t, append(args, "--semantics", string(semantics))...)
		same(t, "a clean run", s.data(t), clean.data(t))
	}
}

// TestRange processes the sources of some days anew, and leaves the others.
func TestRange(t *testing.T) {
	lake := days(5)
	s := newSite(t, lake)
	s.must(t, "run", "metadata")
	wantSources(t, "on an empty lake", s.sources(t, "run", "integrate", "--from", "2024-06-02", "--to", "2024-06-03")["integrate"],
		map[string]int{"new": 2, "outside": 3})
	if got := names(s.objects(t, "curated"), "mss-transformed/"); len(got) != 2 || got[0] != "mss-transformed/02.csv.parquet" {
		t.Errorf("published: %v", got)
	}
	wantSources(t, "the rest", s.sources(t, "run", "all")["integrate"], map[string]int{"new": 3, "unchanged": 2})
	s.check(t, expect(t, lake, schema.Corrected))
	wantSources(t, "a backfill", s.sources(t, "run", "integrate", "--from", "2024-06-04")["integrate"], map[string]int{"full": 2, "unchanged": 3})
	for _, day := range []string{"02", "04"} {
		lake["streams/"+day+".csv"] = []byte(playsHeader + "1,t1,2024-06-" + day + " 12:00:00\n")
	}
	s.replaceRaw(t, lake)
	o := s.must(t, "run", "all", "--to", "2024-06-03", "--output", "json")
	wantSources(t, "changed outside", document(t, o.stdout).Jobs[1].Sources, map[string]int{"full": 3, "outside": 1, "unchanged": 1})
	if !strings.Contains(o.stderr, "not those of a full run") {
		t.Errorf("nothing is said about it: %s", o.stderr)
	}
	wantSources(t, "then all", s.sources(t, "run", "all")["integrate"], map[string]int{"replaced": 1, "unchanged": 4})
	s.check(t, expect(t, lake, schema.Corrected))
	s.fails(t, 2, []string{"without them"}, "run", "all", "--semantics", "glue", "--from", "2024-06-02")
	s.must(t, "run", "integrate") // songs and users are not those of glue
	s.must(t, "run", "metadata", "--semantics", "glue")
	s.fails(t, 2, []string{"without them"}, "run", "integrate", "--semantics", "glue", "--from", "2024-06-02")
	for _, bad := range [][]string{{"--from", "yesterday"}, {"--from", "2024-06-03", "--to", "2024-06-02"}, {"--to", "2024-13-01"}} {
		s.fails(t, 2, []string{"--"}, append([]string{"run", "integrate"}, bad...)...)
	}
}

// TestKeepMetadata gives up equality with a full run, and says so.
func TestKeepMetadata(t *testing.T) {
	lake := days(2)
	s := newSite(t, lake)
	s.must(t, "run", "all")
	before := s.objects(t, "curated")["mss-transformed/01.csv.parquet"]
	lake["metadata/songs.csv"] = raw("t0,Z,one,9,100,jazz\n", "", "")["metadata/songs.csv"]
	lake["streams/03.csv"] = []byte(playsHeader + "1,t0,2024-06-03 12:00:00\n")
	s.replaceRaw(t, lake)
	o := s.must(t, "run", "all", "--on-metadata-change", "keep")
	if !strings.Contains(o.stderr, "not those of a full run") {
		t.Errorf("nothing is said about it: %s", o.stderr)
	}
	if string(s.objects(t, "curated")["mss-transformed/01.csv.parquet"]) != string(before) {
		t.Error("a source was joined again")
	}
	s.must(t, "run", "all")
	s.check(t, expect(t, lake, schema.Corrected))
}

// TestPlan wants the plan to say what the run then does, and to write nothing.
func TestPlan(t *testing.T) {
	lake := days(3)
	s := newSite(t, oracle.Lake{})
	plan := func(args ...string) map[string]report.Plan {
		t.Helper()
		before := s.everything(t, "curated")
		var plans []report.Plan
		if err := json.Unmarshal([]byte(s.must(t, append([]string{"plan", "--output", "json"}, args...)...).stdout), &plans); err != nil {
			t.Fatal(err)
		}
		same(t, "the plan", s.everything(t, "curated"), before)
		out := map[string]report.Plan{}
		for _, p := range plans {
			out[p.Job] = p
		}
		return out
	}
	count := func(p report.Plan) map[string]int {
		n := map[string]int{}
		for _, s := range p.Sources {
			n[s.Action]++
		}
		return n
	}
	step := func(what string, change func(), args ...string) map[string]report.Plan {
		t.Helper()
		change()
		s.replaceRaw(t, lake)
		s.age(t)
		p := plan(args...)
		got := s.sources(t, append([]string{"run", "all"}, args...)...)
		for job, sources := range got {
			if job != "kpi" {
				wantSources(t, what+": "+job, sources, count(p[job]))
			}
		}
		return p
	}
	step("everything is new", func() {})
	if exists(s.folders["analytics"] + "/_mss/plan") {
		t.Error("the plan left something")
	}
	p := step("nothing is new", func() {})
	if r := p["kpi"].Rows; r == nil || r.Inserted+r.Replaced+r.Deleted != 0 || r.Same != r.Total || r.Total == 0 {
		t.Errorf("rows %+v", r)
	}
	step("a file comes, another is replaced", func() {
		lake["streams/04.csv"] = []byte(playsHeader + "1,t0,2024-06-04 12:00:00\n")
		lake["streams/01.csv"] = []byte(playsHeader + "1,t0,2024-06-01 12:00:00\n")
	})
	step("a file goes", func() { delete(lake, "streams/02.csv") })
	if p := step("it is given up", func() {}, "--on-missing-source", "remove"); p["integrate"].Deletes != 1 {
		t.Errorf("%+v", p["integrate"])
	}
	s.execute(t, "DELETE FROM kpi_table WHERE group_by = '10'", "INSERT INTO kpi_table (kpi_type, group_by) VALUES ('genre', 'x')")
	if r := plan("kpi")["kpi"].Rows; r == nil || r.Deleted != 1 || r.Inserted+r.Replaced > 1 {
		t.Errorf("rows %+v", r)
	}
	for _, want := range []string{"1 to delete", "rows to insert"} {
		if out := s.must(t, "plan", "kpi").stdout; !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	s.fails(t, 2, []string{"no job"}, "plan", "everything")
}

// TestHistory wants a record of each run, good or bad, without secrets.
func TestHistory(t *testing.T) {
	lake := days(2)
	s := newSite(t, lake)
	s.must(t, "run", "all")
	s.mss(t, "run", "integrate", "--semantics", "glue")
	lake["streams/bad.csv"] = []byte(playsHeader + "x\n")
	s.replaceRaw(t, lake)
	s.mss(t, "run", "all")
	var records []map[string]any
	if err := json.Unmarshal([]byte(s.must(t, "history", "--output", "json").stdout), &records); err != nil {
		t.Fatal(err)
	}
	if len(records) != 3 {
		t.Fatalf("%d records", len(records))
	}
	for i, want := range []struct {
		outcome string
		exit    float64
		inputs  int
	}{{"refused", 3, 0}, {"failed", 2, 0}, {"done", 0, 4}} {
		r := records[i]
		if r["outcome"] != want.outcome || r["exit"] != want.exit || i == 2 && len(r["inputs"].([]any)) != want.inputs {
			t.Errorf("record %d: %v", i, r)
		}
		if want.exit > 0 && r["error"] == "" {
			t.Errorf("record %d tells no error", i)
		}
	}
	id := records[2]["run"].(string)
	out := s.must(t, "history", "show", id).stdout
	for _, want := range []string{id, "streams/01.csv", "4 rows in = 4 plays", "warehouse", "exit 0"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	if out := s.must(t, "history").stdout; !strings.Contains(out, "refused") || !strings.Contains(out, id) {
		t.Error(out)
	}
	s.fails(t, 2, []string{"no record"}, "history", "show", "1999")
	s.fails(t, 2, []string{"more of the name"}, "history", "show", "2")
}

// TestClean has nothing to do on a lake that is well, and says what it would do on one that is not.
func TestClean(t *testing.T) {
	s := newSite(t, days(2))
	s.must(t, "run", "all")
	before := s.data(t)
	for _, args := range [][]string{{"clean", "--dry-run"}, {"clean"}} {
		if out := s.must(t, args...).stdout; !strings.Contains(out, "nothing to clean up") {
			t.Error(out)
		}
	}
	staging := filepath.Join(s.curated, "_mss/staging")
	if err := os.MkdirAll(staging, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(staging, "20240101T000000Z-000000~x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	pending := `{"format": 2, "run": "20240101T000000Z-000000", "objects": [{"key": "mss-transformed/9.csv.parquet"}]}`
	if err := os.WriteFile(filepath.Join(s.curated, "_mss/mss-transformed/pending.json"), []byte(pending), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := s.must(t, "clean", "--dry-run").stdout; !strings.Contains(out, "000000~x") || !exists(staging) {
		t.Error(out)
	}
	if out := s.must(t, "clean").stdout; !strings.Contains(out, "000000~x") || exists(staging) || exists(filepath.Join(s.curated, "_mss/mss-transformed/pending.json")) {
		t.Error(out)
	}
	same(t, "cleaned", s.data(t), before)
	s.must(t, "run", "all")
}

// TestRatioOverTheLedger takes the share of rejects over all plays, those of earlier runs included.
func TestRatioOverTheLedger(t *testing.T) {
	lake := plenty(300)
	s := newSite(t, lake)
	s.must(t, "run", "all")
	lake["streams/b.csv"] = []byte(playsHeader + "1,t0,never\n1,t0,2024-06-01 10:00:00\n")
	s.replaceRaw(t, lake)
	s.must(t, "run", "all") // 1 of 302
	s.check(t, expect(t, lake, schema.Corrected))
	before := s.data(t)
	lake["streams/c.csv"] = []byte(playsHeader + strings.Repeat("1,t0,never\n", 3))
	s.replaceRaw(t, lake)
	s.fails(t, 3, []string{"4 of 305 rows"}, "run", "all")
	after := s.data(t)
	delete(after, "curated/quarantine/streams/c.csv.jsonl")
	same(t, "after the refused run", after, before)
	// What was refused is not in the ledger, and a lower limit refuses what is.
	delete(lake, "streams/c.csv")
	s.replaceRaw(t, lake)
	s.must(t, "run", "all")
	s.fails(t, 3, []string{"1 of 302 rows"}, "run", "integrate", "--max-reject-ratio", "0")
}

// TestUploadUnderWay reads a file that is only half there, and again when it is whole.
func TestUploadUnderWay(t *testing.T) {
	lake := plenty(50)
	s := newSite(t, lake)
	whole := lake["streams/a.csv"]
	for _, n := range []int{0, 10, 40, 41, len(whole) / 2, len(whole) - 3, len(whole)} {
		if err := os.WriteFile(filepath.Join(s.raw, "streams/a.csv"), whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if o := s.mss(t, "run", "all", "--max-reject-ratio", "1"); o.code != 0 && n != 10 { // half a header is none
			t.Fatalf("%d bytes: exit %d\n%s", n, o.code, o.stderr)
		}
	}
	s.check(t, expect(t, lake, schema.Corrected))
}

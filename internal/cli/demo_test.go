package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

// TestDemo runs the whole pipeline as a newcomer does, twice.
func TestDemo(t *testing.T) {
	t.Chdir(t.TempDir())
	// Wherever the settings point: made-up plays go into the demo's folder alone.
	if err := os.WriteFile("mss.yaml", []byte("raw: real/raw\nwarehouse: sqlite:real/w.db\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"MSS_CURATED": "real/curated", "MSS_ANALYTICS": "real/analytics", "MSS_WAREHOUSE_SECRET": "prod/mss"}

	r := mss(t, env, "demo", "--plays", "20000")
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	for _, want := range []string{
		"20,000 made-up plays of 2,500 tracks by 2,000 users", "in demo/raw",
		": done in ", "20,008 rows in = 20,000 plays + 8 rejected",
		"top artist", "listeners", "(the first 10 of 24)",
		"mss query genres --warehouse sqlite:demo/warehouse.db", "demo/curated/mss-transformed",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the demo does not show %q:\n%s", want, r.stdout)
		}
	}
	for line := range strings.Lines(r.stdout) {
		if n := text.StringWidthWithoutEscSequences(strings.TrimSpace(line)); n > 80 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	if _, err := os.Stat("real"); err == nil {
		t.Error("the demo wrote outside its folder")
	}

	query := func() string {
		q := mss(t, nil, "query", "--warehouse", "sqlite:demo/warehouse.db", "--format", "csv", "--sql",
			"SELECT * FROM public.kpi_table ORDER BY kpi_type, group_by NULLS LAST")
		if q.code != 0 {
			t.Fatalf("exit code %d: %s", q.code, q.stderr)
		}
		return q.stdout
	}
	rows, files := query(), tree(t, "demo")
	if again := mss(t, env, "demo", "--plays", "20000"); again.code != 0 {
		t.Fatalf("again: exit code %d: %s", again.code, again.stderr)
	}
	if query() != rows {
		t.Error("the demo run twice changes the KPIs")
	}
	for name, data := range tree(t, "demo") {
		if files[name] != data {
			t.Errorf("the demo run twice changes %s", name)
		}
	}
}

// TestDemoRespectsFlags: a place that a flag names is where the demo works.
func TestDemoRespectsFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	r := mss(t, nil, "demo", "--plays", "3000", "--dir", "d", "--curated", "elsewhere", "--output", "json")
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	doc := decodeRun(t, r.stdout)
	if jobs := doc["jobs"].([]any); doc["outcome"] != "done" || len(jobs) != 3 {
		t.Errorf("%s", r.stdout)
	} else if plays := jobs[2].(map[string]any)["plays"]; plays != 3000. {
		t.Errorf("the kpi job counts %v plays, want 3000", plays)
	}
	if _, err := os.Stat("elsewhere/mss-transformed"); err != nil {
		t.Error(err)
	}
}

func TestGenerate(t *testing.T) {
	t.Chdir(t.TempDir())
	r := mss(t, nil, "generate", "--raw", "in", "--plays", "50", "--seed", "3", "--output", "json")
	var sum struct {
		Plays   int
		Objects []string
	}
	if err := json.Unmarshal([]byte(r.stdout), &sum); err != nil || r.code != 0 || sum.Plays != 50 || len(sum.Objects) != 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, key := range sum.Objects {
		if _, err := os.Stat(filepath.Join("in", key)); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile("in/streams/mine.csv", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r = mss(t, nil, "generate", "--raw", "in", "--plays", "50")
	if r.code != 2 || !strings.Contains(r.stderr, "in: streams/mine.csv is already there") {
		t.Errorf("into real input: %+v", r)
	}
}

// tree is the data under a folder: all files but the tool's own state and the database, which have times in them.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "/_mss/") || strings.Contains(path, "warehouse.db") {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mss/internal/lake"
	"mss/internal/lock"
	"mss/internal/report"
)

// result is what a run of mss left.
type result struct {
	code           int
	stdout, stderr string
}

// mss runs the program in process, in an empty working directory and with the given environment alone.
func mss(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	return mssIn(t.Context(), t, env, args...)
}

func mssIn(ctx context.Context, t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(ctx, args, strings.NewReader(""), &stdout, &stderr, func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	})
	return result{code, stdout.String(), stderr.String()}
}

func TestExitCodes(t *testing.T) {
	cause := errors.New("cause")
	for _, c := range []struct {
		err     error
		code    int
		outcome string
	}{
		{nil, 0, report.Done},
		{cause, 1, report.Failed},
		{fmt.Errorf("job: %w", lake.ErrUsage), 2, report.Failed},
		{usageError{cause}, 2, report.Failed},
		{fmt.Errorf("job: %w", lake.ErrRefused), 3, report.Refused},
		{errors.Join(cause, fmt.Errorf("job: %w", lake.ErrRefused)), 3, report.Refused},
		{fmt.Errorf("job: %w", lock.ErrHeld), 4, report.Locked},
		{context.DeadlineExceeded, 1, report.Failed},
		{fmt.Errorf("%w: %w", errInterrupted, lake.ErrRefused), 130, report.Interrupted},
	} {
		if got := exitCode(c.err); got != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.code)
		}
		if got := outcome(c.err); got != c.outcome {
			t.Errorf("%v: outcome %s, want %s", c.err, got, c.outcome)
		}
	}
	if err := (usageError{cause}); !errors.Is(err, cause) || err.Error() != "cause" {
		t.Errorf("a usage error hides its cause: %v", err)
	}
}

func TestInterruptedOnlyByASignal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	wrapped := fmt.Errorf("read: %w", context.Canceled)
	if err := asInterrupted(ctx, wrapped); exitCode(err) != 1 {
		t.Errorf("a cancelled part of a run that no signal ended: %v", err)
	}
	cancel()
	for _, err := range []error{wrapped, errors.New("interrupted (9)"), lake.ErrRefused} {
		if got := asInterrupted(ctx, err); exitCode(got) != 130 {
			t.Errorf("%v after a signal: exit code %d", err, exitCode(got))
		}
	}
	if asInterrupted(ctx, nil) != nil {
		t.Error("what is done is done, signal or not")
	}
}

func TestWrongUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	for args, want := range map[string]string{
		"frobnicate":                   `unknown command "frobnicate"`,
		"run":                          `"mss run" wants one of its commands`,
		"run everything":               `unknown command "everything" for "mss run"`,
		"run all now":                  `unknown command "now"`,
		"run all --fast":               "unknown flag: --fast",
		"run all --threads":            "flag needs an argument: --threads",
		"run all --threads many":       `flag --threads "many": want a number`,
		"run all --semantics spark":    `flag --semantics "spark": want one of corrected, glue`,
		"run all --max-reject-ratio 2": "want a number from 0 to 1",
		"run all --memory-limit 1":     "want at least 32 MiB",
		"run all --full=ja":            `flag --full "ja": want true or false`,
		"run all --raw gs://b":         "want a folder",
		"run all --config none.yaml":   "none.yaml",
		"query":                        "want genres, hours or --sql",
		"query weather":                `unknown query "weather"`,
		"query genres hours":           "not several",
		"query genres --sql SELECT":    "not several",
		"query genres --format xml":    `--format "xml": want one of table, csv, json`,
		"generate --plays 0":           "want at least 1",
		"generate --plays many":        "invalid argument",
		"demo --dir s3://bucket":       "want a folder",
		"config":                       "wants one of its commands",
		"config show --output xml":     "want one of text, json",
		"version extra":                `unknown command "extra"`,
		"completion klingon":           `unknown command "klingon"`,
	} {
		r := mss(t, nil, strings.Fields(args)...)
		if r.code != 2 || !strings.Contains(r.stderr, want) || !strings.HasPrefix(r.stderr, "mss: ") {
			t.Errorf("mss %s: exit code %d, stderr %q; want 2, %q", args, r.code, r.stderr, want)
		}
		if r.stdout != "" {
			t.Errorf("mss %s: wrong usage on stdout: %q", args, r.stdout)
		}
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("wrong usage left %v behind", left)
	}
}

func TestUnknownKeyOfTheConfigFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("mss.yaml", []byte("raw: in\nwharehouse: sqlite:w.db\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := mss(t, nil, "run", "all")
	if r.code != 2 || !strings.Contains(r.stderr, `mss.yaml: line 2: unknown setting "wharehouse"`) {
		t.Errorf("exit code %d, stderr %q", r.code, r.stderr)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"", "run", "run all", "run metadata", "run integrate", "run kpi", "query", "demo", "generate", "config show", "version"} {
		r := mss(t, nil, append(strings.Fields(args), "--help")...)
		if r.code != 0 || !strings.Contains(r.stdout, "Examples:") || !strings.Contains(r.stdout, "Exit status:") ||
			!strings.Contains(r.stdout, "--max-reject-ratio") {
			t.Errorf("mss %s --help: exit code %d, %s", args, r.code, r.stdout)
		}
		if r.stderr != "" {
			t.Errorf("mss %s --help on stderr: %s", args, r.stderr)
		}
	}
	if r := mss(t, nil); r.code != 0 || !strings.Contains(r.stdout, "Available Commands:") {
		t.Errorf("mss alone: exit code %d, %s", r.code, r.stdout)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := mss(t, nil, "completion", shell); r.code != 0 || !strings.Contains(r.stdout, "mss") {
			t.Errorf("completion %s: exit code %d, %s", shell, r.code, r.stderr)
		}
	}
	for args, want := range map[string]string{
		"query |":               "genres",
		"query --format |":      "csv",
		"run all --semantics |": "glue",
		"run all --foreign |":   "remove",
		"run |":                 "integrate",
		"run all --log-level |": "debug",
		"run all --output |":    "json",
		"demo --log-format |":   "text",
		"config |":              "show",
	} {
		words := append([]string{"__complete"}, strings.Fields(strings.TrimSuffix(args, "|"))...)
		if r := mss(t, nil, append(words, "")...); r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("complete %q: exit code %d, %q, want %q", args, r.code, r.stdout, want)
		}
	}
}

func TestVersion(t *testing.T) {
	if r := mss(t, nil, "version"); r.code != 0 || !strings.HasPrefix(r.stdout, "mss ") || !strings.Contains(r.stdout, " go1.") {
		t.Errorf("%+v", r)
	}
	version, commit, date = "v1.2.3", "abc", "2026-01-02"
	defer func() { version, commit, date = "", "", "" }()
	var v map[string]string
	r := mss(t, nil, "version", "--output", "json")
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil || v["version"] != "v1.2.3" || v["commit"] != "abc" || v["date"] != "2026-01-02" {
		t.Errorf("%+v: %v", r, err)
	}
}

func TestRunIDs(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	one, two := newRunID(at), newRunID(at)
	if !strings.HasPrefix(one, "20260102T020405Z-") || one == two {
		t.Errorf("run IDs %s, %s", one, two)
	}
}

func TestSettingsShown(t *testing.T) {
	t.Chdir(t.TempDir())
	file := filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(file, []byte("curated: from-file\nanalytics: from-file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"MSS_CONFIG": file, "MSS_ANALYTICS": "from-env", "MSS_TEMP": "from-env",
		"MSS_WAREHOUSE": "postgres://me:hunter2@db.example/dev?sslpassword=hunter3",
	}
	r := mss(t, env, "config", "show", "--temp", "from-flag", "--output", "json")
	if r.code != 0 {
		t.Fatal(r.stderr)
	}
	var all []struct{ Setting, Value, Origin string }
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil {
		t.Fatal(err)
	}
	got := make(map[string][2]string)
	for _, s := range all {
		got[s.Setting] = [2]string{s.Value, s.Origin}
	}
	for name, want := range map[string][2]string{
		"raw":       {"lake/raw", "default"},
		"curated":   {"from-file", file + ":1"},
		"analytics": {"from-env", "environment MSS_ANALYTICS"},
		"temp":      {"from-flag", "flag --temp"},
	} {
		if got[name] != want {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
	text := mss(t, env, "config", "show")
	for _, out := range []string{r.stdout, text.stdout} {
		if strings.Contains(out, "hunter") || !strings.Contains(out, "db.example") || !strings.Contains(out, "me:") {
			t.Errorf("the password should be masked, and nothing else:\n%s", out)
		}
	}
	if !strings.Contains(text.stdout, "environment MSS_WAREHOUSE") {
		t.Errorf("config show:\n%s", text.stdout)
	}
}

func TestLogFormats(t *testing.T) {
	t.Chdir(t.TempDir())
	r := mss(t, map[string]string{"MSS_LOG_FORMAT": "json"}, "run", "metadata")
	var line struct {
		Level, Msg string
		Exit       int
	}
	last := r.stderr[strings.LastIndexByte(strings.TrimSpace(r.stderr), '\n')+1:]
	if err := json.Unmarshal([]byte(last), &line); err != nil || line.Level != "ERROR" || line.Exit != 1 || line.Msg == "" {
		t.Errorf("stderr %q: %v", r.stderr, err)
	}
}

func TestRunDocument(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args    string
		code    int
		outcome string
		jobs    int
	}{
		{"run metadata --output json", 1, report.Failed, 1},           // there is no input
		{"run all --output json --threads none", 2, report.Failed, 0}, // there is no run
	} {
		r := mss(t, nil, strings.Fields(c.args)...)
		doc := decodeRun(t, r.stdout)
		if r.code != c.code || doc["outcome"] != c.outcome || len(doc["jobs"].([]any)) != c.jobs || doc["error"] == "" || doc["run"] == "" {
			t.Errorf("mss %s: exit code %d, %s", c.args, r.code, r.stdout)
		}
		for _, j := range doc["jobs"].([]any) {
			checkJob(t, j.(map[string]any))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := mssIn(ctx, t, nil, "run", "metadata", "--output", "json")
	if doc := decodeRun(t, r.stdout); r.code != 130 || doc["outcome"] != report.Interrupted {
		t.Errorf("interrupted: exit code %d, %s", r.code, r.stdout)
	}
}

// decodeRun insists on exactly one document.
func decodeRun(t *testing.T, text string) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return doc
}

func checkJob(t *testing.T, job map[string]any) {
	t.Helper()
	for _, key := range []string{"job", "rows_in", "rows_out", "plays", "rejected", "collapsed", "bytes_read",
		"bytes_written", "objects", "seconds", "rows_per_s"} {
		if v, ok := job[key]; !ok || v == nil {
			t.Errorf("job %v has no %s", job["job"], key)
		}
	}
}

package config

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "mss.yaml")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// A value other than the default for every setting: a new setting must be added here.
var other = map[string]string{
	"raw": "s3://lab1-rawdata", "curated": "file:///c", "analytics": "a", "temp": "s3://t/p",
	"warehouse": "postgres://u:p@h/db", "warehouse-secret": "prod/mss", "semantics": "glue", "max-reject-ratio": "0.5", "foreign": "remove",
	"full": "true", "keep-stale": "true", "threads": "3", "memory-limit": "512MiB", "log-format": "json",
	"log-level": "debug", "output": "json", "no-progress": "true", "profile": "prod",
	"on-missing-source": "fail", "on-metadata-change": "keep", "lock-wait": "5m", "lock-ttl": "20s",
	"s3-endpoint": "http://localhost:7070", "s3-path-style": "true",
	"kms-key": "alias/mss", "catalog": "glue",
	"load": "insert", "copy-role": "arn:aws:iam::123456789012:role/redshift-copy",
}

func TestDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Raw != "lake/raw" || cfg.Warehouse != "sqlite:lake/warehouse.db" || cfg.MaxRejectRatio != 0.01 ||
		cfg.Threads != runtime.GOMAXPROCS(0) || cfg.Semantics != "corrected" || cfg.Foreign != "stop" || cfg.File != "" {
		t.Errorf("defaults: %+v", cfg)
	}
	for _, v := range cfg.Values {
		if v.Origin != "default" || v.Text != v.Setting.Default() {
			t.Errorf("%s: %q from %s", v.Setting.Name, v.Text, v.Origin)
		}
	}
}

// TestPrecedence gives each setting by each origin, with a wrong value in every origin below it: what is
// overridden is not even parsed.
func TestPrecedence(t *testing.T) {
	for i := range Settings {
		s := &Settings[i]
		value, ok := other[s.Name]
		if !ok || value == s.Default() {
			t.Errorf("%s: the test has no value for it", s.Name)
			continue
		}
		check := func(origin string, src Sources) {
			t.Helper()
			cfg, err := Load(src)
			if err != nil {
				t.Errorf("%s by %s: %v", s.Name, origin, err)
			}
			if got := cfg.Values[i]; got.Text != value || got.Origin != origin {
				t.Errorf("%s by %s: %q from %s", s.Name, origin, got.Text, got.Origin)
			}
		}
		wrong := map[string]string{s.Name: "://"}
		good := write(t, "# settings\n"+s.Name+": '"+value+"'\n")
		bad := write(t, s.Name+": '://'\n")
		check(good+":2", Sources{File: good})
		check("environment "+s.Env(), Sources{File: bad, LookupEnv: env(map[string]string{s.Env(): value})})
		check("a command", Sources{File: bad, LookupEnv: env(map[string]string{s.Env(): "://"}),
			Preset: map[string]string{s.Name: value}, PresetName: "a command"})
		check("flag --"+s.Name, Sources{File: bad, LookupEnv: env(map[string]string{s.Env(): "://"}),
			Preset: wrong, PresetName: "a command", Flags: map[string]string{s.Name: value}})
	}
}

func TestValuesReachTheConfig(t *testing.T) {
	cfg, err := Load(Sources{Flags: other})
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Raw: "s3://lab1-rawdata", Curated: "file:///c", Analytics: "a", Temp: "s3://t/p", Warehouse: "postgres://u:p@h/db", WarehouseSecret: "prod/mss",
		Semantics: "glue", MaxRejectRatio: 0.5, Foreign: "remove", Full: true, KeepStale: true, Threads: 3,
		MemoryLimit: 512 << 20, LogFormat: "json", LogLevel: -4, Output: "json", NoProgress: true, Profile: "prod",
		OnMissingSource: "fail", OnMetadataChange: "keep", LockWait: 5 * time.Minute, LockTTL: 20 * time.Second,
		S3Endpoint: "http://localhost:7070", S3PathStyle: true,
		KMSKey: "alias/mss", Catalog: "glue",
		LoadMode: "insert", CopyRole: "arn:aws:iam::123456789012:role/redshift-copy",
	}
	got := *cfg
	got.Values = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestContractNamesOfVariables(t *testing.T) {
	for name, want := range map[string]string{"raw": "MSS_RAW", "curated": "MSS_CURATED", "analytics": "MSS_ANALYTICS",
		"temp": "MSS_TEMP", "warehouse": "MSS_WAREHOUSE", "max-reject-ratio": "MSS_MAX_REJECT_RATIO"} {
		if got := Find(name).Env(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestEmptyVariableIsUnset(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg, err := Load(Sources{LookupEnv: env(map[string]string{"MSS_RAW": ""})})
	if err != nil || cfg.Raw != "lake/raw" {
		t.Errorf("raw %q, %v", cfg.Raw, err)
	}
}

func TestFileInTheWorkingDirectory(t *testing.T) {
	t.Chdir(filepath.Dir(write(t, "raw: here\nmax_reject_ratio: 0.2\nthreads: 0\n")))
	cfg, err := Load(Sources{})
	if err != nil || cfg.Raw != "here" || cfg.MaxRejectRatio != 0.2 || cfg.Threads != runtime.GOMAXPROCS(0) {
		t.Errorf("%+v, %v", cfg, err)
	}
	if cfg.Values[0].Origin != "mss.yaml:1" {
		t.Errorf("origin %s", cfg.Values[0].Origin)
	}
}

func TestWrongFiles(t *testing.T) {
	for text, want := range map[string]string{
		"raw: a\nthreds: 4\n":                  `line 2: unknown setting "threds"`,
		"raw: a\n\nraw: b\n":                   "line 3: raw is set twice, first in line 1",
		"keep-stale: true\nkeep_stale: true\n": "line 2: keep_stale is set twice",
		"raw: [a, b]\n":                        "line 1: raw takes one value",
		"raw:\n":                               "line 1: raw has no value",
		"- raw\n":                              "line 1: want lines of the form setting: value",
		"raw: a\n---\nraw: b\n":                "want one YAML document",
		"raw: 'a\n":                            "yaml:",
		"threads: many\n":                      `mss.yaml:1: threads "many": want a number`,
		"full: maybe\n":                        `mss.yaml:1: full "maybe": want true or false`,
	} {
		name := write(t, text)
		_, err := Load(Sources{File: name})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "null\n", "threads: 0x4\n", "full: yes\n"} {
		_, err := Load(Sources{File: write(t, text)})
		if wrong := strings.Contains(text, ":"); (err != nil) != wrong {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Load(Sources{File: "not/there.yaml"}); err == nil || !strings.Contains(err.Error(), "not/there.yaml") {
		t.Errorf("a missing file that was named: %v", err)
	}
}

func TestWrongValues(t *testing.T) {
	for _, c := range [][2]string{
		{"raw", ""}, {"raw", "s3://"}, {"raw", "s3:///prefix"}, {"raw", "gs://bucket"}, {"raw", "file://"}, {"raw", "s3a://b"},
		{"warehouse", ""}, {"warehouse", "warehouse.db"}, {"warehouse", "sqlite:"}, {"warehouse", "mysql://h/db"},
		{"warehouse", "postgres://u:p%zz@h/db"}, {"warehouse", "redshift-iam://wg1"}, {"warehouse", "redshift-iam://wg:5439/dev"},
		{"warehouse", "redshift-iam://u:p@wg1/dev"}, {"warehouse", "redshift-iam://wg1/dev?region=Ireland"},
		{"warehouse-secret", `{"username":"u","password":"p"}`}, {"warehouse-secret", "a b"},
		{"warehouse-secret", "arn:aws:secretsmanager:eu-west-1:1:secret:x"}, {"warehouse-secret", "arn:aws:kms:eu-west-1:123456789012:key/x"},
		{"semantics", "spark"}, {"semantics", ""}, {"foreign", "Stop"}, {"output", "yaml"}, {"log-format", "logfmt"},
		{"log-level", "trace"}, {"max-reject-ratio", "1.01"}, {"max-reject-ratio", "-0.1"}, {"max-reject-ratio", "1%"},
		{"max-reject-ratio", "NaN"}, {"threads", "-1"}, {"threads", "1.5"}, {"threads", "100000"}, {"memory-limit", "big"},
		{"memory-limit", "1KB"}, {"memory-limit", "-1GB"}, {"memory-limit", "99999999999999999999GB"}, {"full", "ja"},
		{"s3-endpoint", "localhost:7070"}, {"s3-endpoint", "ftp://h"}, {"catalog", "hive"},
		{"kms-key", "mss"}, {"kms-key", "aws:s3"}, {"kms-key", "arn:aws:kms:eu-west-1:1:key/x"}, {"kms-key", "alias/"},
	} {
		cfg, err := Load(Sources{Flags: map[string]string{c[0]: c[1]}})
		if err == nil || !strings.Contains(err.Error(), "flag --"+c[0]) || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s %q: %v", c[0], c[1], err)
		}
		if cfg == nil {
			t.Fatalf("%s %q: no configuration to report the error with", c[0], c[1])
		}
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	cfg, err := Load(Sources{Flags: map[string]string{"threads": "x", "foreign": "y", "output": "json"}})
	if err == nil || !strings.Contains(err.Error(), "threads") || !strings.Contains(err.Error(), "foreign") {
		t.Errorf("two faults: %v", err)
	}
	if cfg.Output != "json" || cfg.Threads < 1 {
		t.Errorf("what is right should be kept: %+v", cfg)
	}
}

func TestWarehousesOnAWS(t *testing.T) {
	for _, c := range [][2]string{
		{"warehouse", "redshift-iam://sandbox-workspace/dev?region=eu-west-1"},
		{"warehouse", "redshift-iam://cluster:old-one/dev?region=us-gov-west-1&user=etl&sslrootcert=/etc/ca.pem"},
		{"warehouse", "redshift://"}, {"warehouse", "redshift:///dev"},
		{"warehouse-secret", "prod/mss"}, {"warehouse-secret", "redshift!sandbox-admin"},
		{"warehouse-secret", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:prod/mss-AbCdEf"},
	} {
		if _, err := Load(Sources{Flags: map[string]string{c[0]: c[1]}}); err != nil {
			t.Errorf("%s %s: %v", c[0], c[1], err)
		}
	}
}

// TestSecretIDsAreShown shows which secret is used, and hides one that was pasted in place of its id.
func TestSecretIDsAreShown(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "prod/mss": "prod/mss", `{"password":"hunter2"}`: "***", "hunter2 hunter2": "***",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:mss-AbCdEf": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mss-AbCdEf",
	} {
		cfg, err := Load(Sources{Flags: map[string]string{"warehouse-secret": text}})
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a secret in: %v", err)
		}
		for _, v := range cfg.Values {
			if v.Setting.Name == "warehouse-secret" && v.Shown != want {
				t.Errorf("%s is shown as %s", text, v.Shown)
			}
		}
	}
}

func TestErrorsMaskSecrets(t *testing.T) {
	for _, mask := range []func(string) string{nil, func(string) string { return "masked" }} {
		cfg, err := Load(Sources{Flags: map[string]string{"warehouse": "mysql://u:hunter2@h/%zz"}, Mask: mask})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a wrong warehouse: %v", err)
		}
		for _, v := range cfg.Values {
			if strings.Contains(v.Shown, "hunter2") {
				t.Errorf("%s is shown as %s", v.Setting.Name, v.Shown)
			}
		}
	}
}

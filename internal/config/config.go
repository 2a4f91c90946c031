// Package config holds the settings of mss: what they are called, what they default to, and where they come from.
//
// One table (Settings) lists them all. The flags, the keys of mss.yaml, the MSS_ variables of the environment and
// `mss config show` derive from it. Load resolves each setting, in rising order of precedence, from its default, the
// config file, the environment and the flags, and checks it once; the rest of mss relies on a Config being right.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Config is the resolved, valid configuration of one command.
type Config struct {
	Raw, Curated, Analytics, Temp string // places: a folder, file:// or s3://bucket[/prefix]
	Warehouse                     string // sqlite:PATH, postgres://, redshift:// or redshift-iam://; may hold a password
	WarehouseSecret               string // id or ARN of a secret with the login to it; "" is none
	LoadMode                      string // auto, insert or copy
	CopyRole                      string // default, an ARN or ""

	Semantics      string  // corrected or glue
	MaxRejectRatio float64 // 0 to 1
	Foreign        string  // stop, ignore or remove
	Full           bool
	KeepStale      bool

	OnMissingSource  string        // keep, remove or fail
	OnMetadataChange string        // rebuild or keep
	LockWait         time.Duration // 0 means not at all
	LockTTL          time.Duration // of the lease on S3

	Threads     int   // at least 1
	MemoryLimit int64 // bytes; 0 means none

	LogFormat  string // text or json
	LogLevel   slog.Level
	Output     string // text or json
	NoProgress bool

	Profile     string
	S3Endpoint  string
	S3PathStyle bool

	KMSKey  string // a KMS key by id, ARN or alias, aws:kms, AES256, or ""
	Catalog string // none or glue

	// File is the config file that was read, or "".
	File string
	// Values tells of each setting, in the order of Settings, what it is and where it came from.
	Values []Value
}

// Value is one resolved setting, as the user wrote it.
type Value struct {
	Setting *Setting
	Text    string
	Shown   string // Text as it may be printed: with its secrets masked
	Origin  string // "default", "mss.yaml:3", "environment MSS_RAW", "flag --raw"
}

// Sources are the places settings come from. The zero value gives the defaults.
type Sources struct {
	// File is the config file to read; "" means mss.yaml in the working directory, if there is one.
	File string
	// LookupEnv is os.LookupEnv, or a test's stand-in; nil means an empty environment.
	LookupEnv func(string) (string, bool)
	// Preset overrides everything but the flags; PresetName is its origin. `mss demo` keeps its places in one
	// folder by it, whatever mss.yaml says.
	Preset     map[string]string
	PresetName string
	// Flags are the flags that the user gave, by setting name.
	Flags map[string]string
	// Mask hides the secrets in a value; nil hides the whole value.
	Mask func(string) string
}

// Load resolves and checks all settings. With an error it still returns what could be resolved, so that the
// error can be reported in the format that the user asked for. The error names every faulty setting.
func Load(src Sources) (*Config, error) {
	file, name, err := readFile(src.File)
	errs := []error{err}
	if name == "" && src.File != "" {
		name = src.File
	}
	cfg := &Config{File: name}
	lookupEnv := src.LookupEnv
	if lookupEnv == nil {
		lookupEnv = func(string) (string, bool) { return "", false }
	}
	for i := range Settings {
		s := &Settings[i]
		v := Value{Setting: s, Text: s.Default(), Origin: "default"}
		if f, ok := file[s.Name]; ok {
			v.Text, v.Origin = f.text, fmt.Sprintf("%s:%d", name, f.line)
		}
		// An empty variable counts as unset: that is what `MSS_RAW= mss …` and an unfilled unit file mean.
		if e, ok := lookupEnv(s.Env()); ok && e != "" {
			v.Text, v.Origin = e, "environment "+s.Env()
		}
		if p, ok := src.Preset[s.Name]; ok {
			v.Text, v.Origin = p, src.PresetName
		}
		if f, ok := src.Flags[s.Name]; ok {
			v.Text, v.Origin = f, "flag --"+s.Name
		}
		v.Shown = src.shown(v)
		if err := s.apply(cfg, v.Text); err != nil {
			errs = append(errs, fmt.Errorf("%s %q: %w", v.name(), v.Shown, err))
			errs = append(errs, s.apply(cfg, s.Default())) // never fails: a test applies all defaults
		}
		cfg.Values = append(cfg.Values, v)
	}
	return cfg, errors.Join(errs...)
}

// name is the setting as the user wrote it: a flag and a variable are names already, a line of a file is not.
func (v Value) name() string {
	if strings.HasPrefix(v.Origin, "flag ") || strings.HasPrefix(v.Origin, "environment ") {
		return v.Origin
	}
	return v.Origin + ": " + v.Setting.Name
}

func (src Sources) shown(v Value) string {
	switch {
	case v.Setting.mask != nil:
		return v.Setting.mask(v.Text)
	case !v.Setting.Secret:
		return v.Text
	case src.Mask != nil:
		return src.Mask(v.Text)
	}
	return "***"
}

// envName is the environment variable of a setting: max-reject-ratio gives MSS_MAX_REJECT_RATIO.
func envName(setting string) string {
	return "MSS_" + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

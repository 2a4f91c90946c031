package config

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting is one row of the table of settings.
type Setting struct {
	Name    string   // of the flag and of the key in mss.yaml, where "_" may stand for "-"
	Kind    Kind     // what its text means
	Choices []string // the values of a Choice
	Help    string   // one line

	Secret bool // whether a value can hold a password

	preset  string                      // the default, when it is a constant
	compute func() string               // the default, when it depends on the machine
	set     func(*Config, string) error // parses and checks; Choices are checked before
	mask    func(string) string         // of a setting whose secrets are not those of a URL; nil otherwise
}

// Kind says what the text of a setting means; it is the placeholder in the help of the flag.
type Kind string

// The kinds of setting.
const (
	Place  Kind = "PLACE"
	URL    Kind = "URL"
	Text   Kind = "NAME"
	Choice Kind = "CHOICE"
	Ratio  Kind = "RATIO"
	Count  Kind = "N"
	Size   Kind = "SIZE"
	Switch Kind = "bool"

	Duration Kind = "DURATION"
)

// Env is the environment variable of the setting.
func (s *Setting) Env() string { return envName(s.Name) }

// Default is the built-in value of the setting.
func (s *Setting) Default() string {
	if s.compute != nil {
		return s.compute()
	}
	return s.preset
}

func (s *Setting) apply(c *Config, text string) error {
	if len(s.Choices) > 0 && !slices.Contains(s.Choices, text) {
		return fmt.Errorf("want one of %s", strings.Join(s.Choices, ", "))
	}
	return s.set(c, text)
}

// Settings are all settings of mss, in the order in which they are listed.
var Settings = []Setting{
	{Name: "raw", Kind: Place, preset: "lake/raw", Help: "place of the CSV input: a folder, or s3://bucket[/prefix]",
		set: place(func(c *Config) *string { return &c.Raw })},
	{Name: "curated", Kind: Place, preset: "lake/curated", Help: "place of the cleaned and joined Parquet",
		set: place(func(c *Config) *string { return &c.Curated })},
	{Name: "analytics", Kind: Place, preset: "lake/analytics", Help: "place of the KPI Parquet",
		set: place(func(c *Config) *string { return &c.Analytics })},
	{Name: "temp", Kind: Place, preset: "lake/temp", Help: "place of temporary objects of a warehouse load",
		set: place(func(c *Config) *string { return &c.Temp })},
	{Name: "warehouse", Kind: URL, preset: "sqlite:lake/warehouse.db", Secret: true,
		Help: "warehouse of the KPI rows: sqlite:PATH, postgres://, redshift:// or redshift-iam://",
		set:  warehouse(func(c *Config) *string { return &c.Warehouse })},
	{Name: "warehouse-secret", Kind: Text, Secret: true, mask: maskSecretID,
		Help: "id or ARN of a secret of AWS Secrets Manager with the login to the warehouse; empty means none",
		set:  secretID(func(c *Config) *string { return &c.WarehouseSecret })},
	{Name: "load", Kind: Choice, Choices: []string{"auto", "insert", "copy"}, preset: "auto",
		Help: "how rows get to Redshift: by INSERT, or by COPY from temp; auto copies when temp is on S3 and copy-role is set",
		set:  text(func(c *Config) *string { return &c.LoadMode })},
	{Name: "copy-role", Kind: Text, Help: "IAM role that Redshift reads temp with: default, or an ARN",
		set: text(func(c *Config) *string { return &c.CopyRole })},
	{Name: "semantics", Kind: Choice, Choices: []string{"corrected", "glue"}, preset: "corrected",
		Help: "how duplicate metadata counts",
		set:  text(func(c *Config) *string { return &c.Semantics })},
	{Name: "max-reject-ratio", Kind: Ratio, preset: "0.01",
		Help: "rejected share of a dataset, 0 to 1, above which the run is refused",
		set:  ratio(func(c *Config) *float64 { return &c.MaxRejectRatio })},
	{Name: "foreign", Kind: Choice, Choices: []string{"stop", "ignore", "remove"}, preset: "stop",
		Help: "what to do about Parquet objects in an output folder that mss did not write",
		set:  text(func(c *Config) *string { return &c.Foreign })},
	{Name: "full", Kind: Switch, preset: "false", Help: "compute and load everything, also what has not changed",
		set: toggle(func(c *Config) *bool { return &c.Full })},
	{Name: "keep-stale", Kind: Switch, preset: "false",
		Help: "leave genres and hours that no longer occur in the warehouse",
		set:  toggle(func(c *Config) *bool { return &c.KeepStale })},
	{Name: "on-missing-source", Kind: Choice, Choices: []string{"keep", "remove", "fail"}, preset: "keep",
		Help: "what becomes of the plays of a raw object that is gone",
		set:  text(func(c *Config) *string { return &c.OnMissingSource })},
	{Name: "on-metadata-change", Kind: Choice, Choices: []string{"rebuild", "keep"}, preset: "rebuild",
		Help: "what becomes of plays that were joined with other songs or users",
		set:  text(func(c *Config) *string { return &c.OnMetadataChange })},
	{Name: "lock-wait", Kind: Duration, preset: "0s", Help: "how long to wait for another run on the lake to end",
		set: duration(0, func(c *Config) *time.Duration { return &c.LockWait })},
	{Name: "lock-ttl", Kind: Duration, preset: "45s",
		Help: "on S3, how long a run may show no sign of life before the next one takes its lock over",
		set:  duration(time.Second, func(c *Config) *time.Duration { return &c.LockTTL })},
	{Name: "threads", Kind: Count, compute: func() string { return strconv.Itoa(runtime.GOMAXPROCS(0)) },
		Help: "workers; 0 means all cores", set: threads},
	{Name: "memory-limit", Kind: Size, Help: "soft limit of the heap, as in 512MiB; empty means none",
		set: memoryLimit},
	{Name: "log-format", Kind: Choice, Choices: []string{"text", "json"}, preset: "text",
		Help: "format of the log on stderr",
		set:  text(func(c *Config) *string { return &c.LogFormat })},
	{Name: "log-level", Kind: Choice, Choices: []string{"debug", "info", "warn", "error"}, preset: "info",
		Help: "least level that is logged", set: logLevel},
	{Name: "output", Kind: Choice, Choices: []string{"text", "json"}, preset: "text",
		Help: "format of the report on stdout",
		set:  text(func(c *Config) *string { return &c.Output })},
	{Name: "no-progress", Kind: Switch, preset: "false", Help: "show no progress bar on a terminal",
		set: toggle(func(c *Config) *bool { return &c.NoProgress })},
	{Name: "profile", Kind: Text, Help: "AWS profile; empty means the default credential chain",
		set: text(func(c *Config) *string { return &c.Profile })},
	{Name: "s3-endpoint", Kind: URL, Help: "URL of an S3-compatible server; empty means AWS, or AWS_ENDPOINT_URL",
		set: endpoint(func(c *Config) *string { return &c.S3Endpoint })},
	{Name: "s3-path-style", Kind: Switch, preset: "false",
		Help: "put the bucket into the path of the URL, as most S3-compatible servers need",
		set:  toggle(func(c *Config) *bool { return &c.S3PathStyle })},
	{Name: "kms-key", Kind: Text, Help: "encrypt objects on S3 with this KMS key (id, ARN or alias/…), aws:kms or AES256; empty leaves it to the bucket",
		set: kmsKey(func(c *Config) *string { return &c.KMSKey })},
	{Name: "catalog", Kind: Choice, Choices: []string{"none", "glue"}, preset: "none",
		Help: "data catalog that a run keeps in step with the lake",
		set:  text(func(c *Config) *string { return &c.Catalog })},
}

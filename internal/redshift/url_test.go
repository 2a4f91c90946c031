package redshift

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"mss/internal/kpi"
	"mss/internal/redshift/iamurl"
)

func TestMaskURL(t *testing.T) {
	for in, want := range map[string]string{
		"sqlite:lake/warehouse.db":                   "sqlite:lake/warehouse.db",
		"sqlite:/a:b@c?password=d":                   "sqlite:/a:b@c?password=d", // a path
		"postgres://h/db":                            "postgres://h/db",
		"postgres://h:5432/db?sslmode=disable":       "postgres://h:5432/db?sslmode=disable",
		"postgres://u@h:5432/db":                     "postgres://u@h:5432/db",
		"postgres://u:secret@h:5432/db":              "postgres://u:***@h:5432/db",
		"postgres://u:@h/db":                         "postgres://u:***@h/db",
		"redshift://IAM%3Au:se%2Fcret@h/dev":         "redshift://IAM%3Au:***@h/dev",
		"postgres://u:se/cret@h/db":                  "postgres://u:***@h/db",
		"postgres://u:se@cr?et=#@h/db":               "postgres://u:***@h/db",
		"postgres://u:se%zzcret@h/db":                "postgres://u:***@h/db",
		"postgres://h/db?password=secret":            "postgres://h/db?password=***",
		"postgres://h/db?user=u&password=secret&a=b": "postgres://h/db?user=u&password=***&a=b",
		"postgres://h/db?pass%77ord=secret":          "postgres://h/db?pass%77ord=***",
		"postgres://h/db?PASSWORD=se?cret;x@y":       "postgres://h/db?PASSWORD=***",
		"postgres://h/db?sslpassword=secret":         "postgres://h/db?sslpassword=***",
		"postgres://h/db?sslkey=/k.pem&passfile=/p":  "postgres://h/db?sslkey=/k.pem&passfile=/p",
		"postgres://u:p=w@h/db?password=secret":      "postgres://u:***@h/db?password=***",
		"mysql://u:secret@h/db":                      "mysql://u:***@h/db",
		"redshift-iam://wg/dev?region=eu-west-1":     "redshift-iam://wg/dev?region=eu-west-1",
		"redshift-iam://cluster:c/dev?user=a%40b":    "redshift-iam://cluster:c/dev?user=a%40b",
		"redshift-iam://u:secret@wg/dev":             "redshift-iam://u:***@wg/dev",
		"redshift-iam://wg/dev?password=secret":      "redshift-iam://wg/dev?password=***",
		"u:secret@h":                                 "u:***@h",
		"host=h password=secret":                     "host=h password=***",
		"":                                           "",
	} {
		if got := MaskURL(in); got != want {
			t.Errorf("MaskURL(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestPasswordsStayHidden writes passwords of every kind into URLs, escaped or not, and looks for them in what comes out.
func TestPasswordsStayHidden(t *testing.T) {
	const letters = "Zz9@:/?#&=%+ ;!'\"\\é中$"
	runes := []rune(letters)
	for range 3000 {
		var password strings.Builder
		for range 1 + rand.N(6) {
			password.WriteRune(runes[rand.N(len(runes))])
		}
		secret := "Q" + password.String() + "Q" // Q occurs nowhere else
		for _, url := range []string{
			"postgres://user:" + secret + "@host/db",
			"redshift://user:" + secret + "@host:5439/db?sslmode=disable",
			"postgres://host/db?user=u&password=" + secret,
			"postgres://user:" + secret + "@host/db?sslmode=bogus",
			"postgres://user:" + secret + "@host/db?connect_timeout=x",
			"redshift-iam://user:" + secret + "@wg1/dev",
			"redshift-iam://wg1/dev?password=" + secret,
		} {
			if strings.Contains(url, "=Q") && strings.Contains(secret, "&") {
				continue // the parameter ends there
			}
			if got := MaskURL(url); strings.Contains(got, "Q") {
				t.Fatalf("MaskURL(%q) = %q", url, got)
			}
			if _, err := iamurl.Parse(url); err == nil || strings.Contains(err.Error(), "Q") {
				t.Fatalf("%q: %v", url, err)
			}
			u, err := serverURL(url)
			if err == nil {
				_, err = serverConfig(redshiftDefaults(u), MaskURL(url))
			}
			if err != nil && (strings.Contains(err.Error(), "Q") || !errors.Is(err, ErrURL)) {
				t.Fatalf("%q: %v", url, err)
			}
		}
	}
}

func TestWrongURLs(t *testing.T) {
	for _, url := range []string{
		"", "warehouse.db", "mysql://u:hunter2@h/db", "postgres:/h", "redshift:h/db", "sqlite", "sqlite:", "sqlite://lake/warehouse.db",
		"sqlite::memory:", "postgres://u:hunter2%zz@h/db", "postgres://u:hunter2@x@h/db", "postgres://u:12/hunter2@h/db",
		"postgres://u:12?hunter2@h/db", "postgres://u:hunter2@h/db#x", "postgres://u:hunter2@h:port/db", "postgres://u:hunter2@h/db?sslmode",
		"postgres://u:hunter2@h/db?sslmode=bogus", "redshift://u:hunter2@h/db?connect_timeout=-1", "redshift://u:hunter2@h/db?sslrootcert=/none",
		"postgres://u:hunter2@h/db?target_session_attrs=bogus",
	} {
		w, err := Open(t.Context(), url, Options{})
		if err == nil {
			w.Close()
		}
		if !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q): %v", url, err)
		}
	}
}

// parse is the configuration that a URL gives, in an environment of its own.
func parse(t *testing.T, url string) *pgx.ConnConfig {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
	u, err := serverURL(url)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(url, "redshift") {
		u = redshiftDefaults(u)
	}
	config, err := serverConfig(u, "x")
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestServerSettings(t *testing.T) {
	for _, url := range []string{"postgres://u:p%40ss%2Fw%2Bd@h/db", "redshift://u:p%40ss%2Fw%2Bd@h/db", "redshift://u:p%40ss%2Fw%2Bd@h/db?sslmode=disable"} {
		c := parse(t, url)
		if c.User != "u" || c.Password != "p@ss/w+d" || c.Host != "h" || c.Database != "db" {
			t.Errorf("%s: %s %s %s %s", url, c.User, c.Password, c.Host, c.Database)
		}
		if c.DefaultQueryExecMode != pgx.QueryExecModeExec || c.RuntimeParams["client_encoding"] != "UTF8" ||
			c.RuntimeParams["extra_float_digits"] != "2" || c.RuntimeParams["application_name"] != "mss" {
			t.Errorf("%s: mode %s, parameters %v", url, c.DefaultQueryExecMode, c.RuntimeParams)
		}
	}
	c := parse(t, "redshift://IAM%3Aadmin:a+b@wg.example.com/dev?application_name=nightly&options=-c%20a+b")
	if c.User != "IAM:admin" || c.Password != "a+b" || c.RuntimeParams["application_name"] != "nightly" || c.RuntimeParams["options"] != "-c a+b" {
		t.Errorf("%s %s %v", c.User, c.Password, c.RuntimeParams)
	}
}

func TestRedshiftDefaults(t *testing.T) {
	for url, port := range map[string]uint16{
		"redshift://u@h/db":                    5439,
		"redshift://u@h:1234/db":               1234,
		"redshift://u@h/db?port=77":            77,
		"redshift://u@[::1]/db":                5439,
		"redshift://u@h/db?sslmode=prefer":     5439,
		"redshift://u@h?application_name=x":    5439,
		"postgres://u@h/db?sslmode=prefer":     5432,
		"postgresql://u@h:99/db?sslmode=allow": 99,
	} {
		if got := parse(t, url).Port; got != port {
			t.Errorf("%s: port %d, want %d", url, got, port)
		}
	}
	for url, verified := range map[string]bool{
		"redshift://u@h/db":                     true,
		"redshift://u@h/db?application_name=x":  true,
		"redshift://u@h/db?sslmode=verify-full": true,
		"redshift://u@h/db?sslmode=require":     false,
		"redshift://u@h/db?sslmode=disable":     false,
		"postgres://u@h/db":                     false,
	} {
		c := parse(t, url)
		got := len(c.Fallbacks) == 0 && verifiesFully(c.TLSConfig, "h")
		if got != verified {
			t.Errorf("%s: the certificate is verified: %t", url, got)
		}
	}
	// The environment of libpq does not weaken it.
	u, err := serverURL("redshift://u@h/db")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGSSLMODE", "disable")
	t.Setenv("PGPORT", "1")
	c, err := serverConfig(redshiftDefaults(u), "x")
	if err != nil {
		t.Fatal(err)
	}
	if c.Port != 5439 || !verifiesFully(c.TLSConfig, "h") {
		t.Errorf("with PGSSLMODE and PGPORT: port %d, TLS %+v", c.Port, c.TLSConfig)
	}
}

func verifiesFully(c *tls.Config, host string) bool {
	return c != nil && !c.InsecureSkipVerify && c.ServerName == host
}

func TestSQLitePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"lake/warehouse.db", filepath.Join(dir, "abs.db"), "//" + filepath.Join(dir, "slashes.db"),
		"a b?c=d&mode=memory#e%20f.db", "file:uri?mode=memory", "quote's;.db", "-x"} {
		w := open(t, "sqlite:"+path)
		load(t, w, before(), kpi.LoadOptions{}, true)
		abs := path
		if !filepath.IsAbs(path) {
			abs = filepath.Join(dir, path)
		}
		if info, err := os.Stat(abs); err != nil || info.Size() == 0 {
			t.Errorf("sqlite:%s: %v", path, err)
		}
	}
}

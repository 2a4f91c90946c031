package redshift

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"mss/internal/kpi"
	"mss/internal/mototest"
	"mss/internal/redshift/awstest"
	"mss/internal/redshift/identity"
	"mss/internal/redshift/pgtest"
)

// role is a PostgreSQL with a user of the test's own, whose passwords are hunter2-1, hunter2-2, …
type role struct {
	url      *url.URL
	database string
	user     string
	admin    *Warehouse
	n        int
}

func newRole(t *testing.T, prefix string) *role {
	t.Helper()
	raw := pgtest.New(t)
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	s := &role{url: u, database: strings.TrimPrefix(u.Path, "/"), admin: open(t, raw)}
	s.user = prefix + s.database
	do(t, s.admin, "DROP TABLE public.kpi_table, public.kpi_staging", `CREATE ROLE "`+s.user+`" LOGIN`,
		`GRANT CREATE, USAGE ON SCHEMA public TO "`+s.user+`"`)
	t.Cleanup(func() {
		err := s.admin.with(context.Background(), func(c session) error {
			_ = c.exec(context.Background(), `DROP OWNED BY "`+s.user+`"`)
			return c.exec(context.Background(), `DROP ROLE "`+s.user+`"`)
		})
		if err != nil {
			t.Error(err)
		}
	})
	return s
}

// change gives the user another password, and returns it; those before are good for nothing.
func (s *role) change(t *testing.T) string {
	t.Helper()
	s.n++
	password := fmt.Sprintf("hunter2-%d", s.n)
	do(t, s.admin, `ALTER ROLE "`+s.user+`" PASSWORD '`+password+`'`)
	return password
}

// drop ends all sessions of the user.
func (s *role) drop(t *testing.T) {
	t.Helper()
	do(t, s.admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '`+s.user+`'`)
}

// secret is the JSON of a secret with the login, and with the fields that change adds.
func (s *role) secret(t *testing.T, password string, change map[string]any) string {
	t.Helper()
	fields := map[string]any{"engine": "redshift", "username": s.user, "password": password}
	for name, value := range change {
		fields[name] = value
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// storeSecret stores a secret under a name.
func storeSecret(t *testing.T, name, text string) {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := secretsmanager.NewFromConfig(cfg)
	if _, err = client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &text}); err == nil {
		return
	}
	if _, err = client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(name), SecretString: &text}); err != nil {
		t.Fatal(err)
	}
}

// wantNoPassword wants neither a password in the log, nor in an error.
func wantNoPassword(t *testing.T, log *journal, err error) {
	t.Helper()
	for _, text := range []string{log.String(), fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a password in: %s", text)
		}
	}
}

func TestIAM(t *testing.T) {
	for _, form := range []string{"redshift-iam://here/%s?sslmode=disable", "redshift-iam://cluster:here/%s?sslmode=disable",
		"redshift-iam://cluster:here/%s?sslmode=disable&user=etl"} {
		s := newRole(t, "IAM:etl-")
		mototest.Setenv(t, "")
		front := awstest.New(t, "here")
		port, err := strconv.Atoi(s.url.Port())
		if err != nil {
			t.Fatal(err)
		}
		front.Host, front.Port = s.url.Hostname(), int32(port)
		front.Issue = func(database, _ string) (string, string) {
			if database != s.database {
				t.Errorf("credentials for the database %s", database)
			}
			return s.user, s.change(t)
		}
		log := new(journal)
		at := fmt.Sprintf(form, s.database)
		w, err := Open(t.Context(), at, Options{Log: log.logger()})
		wantNoPassword(t, log, err)
		if err != nil {
			t.Fatal(err)
		}
		load(t, w, before(), kpi.LoadOptions{}, true)
		wantRows(t, w, before())
		if s.n != 1 {
			t.Errorf("%s: credentials were fetched %d times for one connection", at, s.n)
		}
		// The password of the first connection is not that of the second.
		s.change(t)
		s.drop(t)
		load(t, w, after(), kpi.LoadOptions{}, true)
		wantRows(t, w, after())
		if s.n != 3 {
			t.Errorf("%s: passwords were changed %d times, want once for each connection and once by the test", at, s.n)
		}
		w.Close()
		wantNoPassword(t, log, nil)
	}
}

func TestSecretLogin(t *testing.T) {
	mototest.Setenv(t, mototest.New(t).URL)
	s := newRole(t, "etl@")
	host, port, database := s.url.Hostname(), s.url.Port(), s.database
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		url    string
		fields map[string]any
	}{
		{"redshift://?sslmode=disable", map[string]any{"host": host, "port": number, "dbname": database}},
		{"redshift://?sslmode=disable", map[string]any{"host": host, "port": port, "dbname": database}},
		{"redshift:///" + database + "?sslmode=disable", map[string]any{"host": host, "port": port}},
		{"redshift:///" + database + "?sslmode=disable", map[string]any{"host": host, "port": port, "dbname": "another"}},
		{"redshift://" + s.url.Host + "/" + database + "?sslmode=disable", nil},
		{"redshift://" + s.url.Host + "/" + database + "?sslmode=disable", map[string]any{"host": "elsewhere.invalid", "port": 1}},
		{"redshift://" + url.User(s.user).String() + "@" + s.url.Host + "/" + database + "?sslmode=disable", nil},
		{"redshift://" + host + "/" + database + "?sslmode=disable", map[string]any{"port": number}},
		{"redshift://" + host + "?sslmode=disable", map[string]any{"host": host, "port": number, "dbname": database}},
		{"postgres://" + s.url.Host + "/" + database + "?sslmode=disable", nil},
		{"postgresql://?sslmode=disable", map[string]any{"host": host, "port": port, "dbname": database}},
	} {
		t.Setenv("PGPASSWORD", "hunter2-of-somebody-else")
		id := fmt.Sprintf("mss/%d", i)
		storeSecret(t, id, s.secret(t, s.change(t), c.fields))
		log := new(journal)
		w, err := Open(t.Context(), c.url, Options{Log: log.logger(), Secret: id})
		wantNoPassword(t, log, err)
		if err != nil {
			t.Errorf("%s with %v: %v", c.url, c.fields, err)
			continue
		}
		load(t, w, before(), kpi.LoadOptions{Always: true}, true)
		wantRows(t, w, before())
		// The secret is read anew for the next connection.
		storeSecret(t, id, s.secret(t, s.change(t), c.fields))
		s.drop(t)
		load(t, w, after(), kpi.LoadOptions{Always: true}, true)
		wantRows(t, w, after())
		w.Close()
		wantNoPassword(t, log, nil)
	}
}

// TestRotation has the database know the new password before the secret does.
func TestRotation(t *testing.T) {
	mototest.Setenv(t, mototest.New(t).URL)
	s := newRole(t, "etl-")
	storeSecret(t, "mss", s.secret(t, s.change(t), nil))
	fresh := s.change(t)
	log := new(journal)
	done := make(chan error, 1)
	go func() {
		w, err := Open(t.Context(), s.url.Scheme+"://"+s.url.Host+"/"+s.database+"?sslmode=disable", Options{Log: log.logger(), Secret: "mss"})
		if err == nil {
			w.Close()
		}
		done <- err
	}()
	for !strings.Contains(log.String(), "refuses the login") {
		select {
		case err := <-done:
			t.Fatalf("it did not wait for the secret: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	storeSecret(t, "mss", s.secret(t, fresh, nil))
	err := <-done
	if err != nil {
		t.Error(err)
	}
	wantNoPassword(t, log, err)
}

// TestLoginsRefused has logins that AWS gives and the database does not take.
func TestLoginsRefused(t *testing.T) {
	mototest.Setenv(t, mototest.New(t).URL)
	s := newRole(t, "etl-")
	s.change(t)
	storeSecret(t, "mss", s.secret(t, "hunter2-0", nil))
	front := awstest.New(t, "here")
	asked := 0
	front.Issue = func(string, string) (string, string) { asked++; return s.user, "hunter2-0" }
	for _, c := range []struct {
		url, secret string
		words       []string
		asked       int
	}{
		{"redshift://" + s.url.Host + "/" + s.database + "?sslmode=disable", "mss",
			[]string{"28P01", "the secret holds", "redshift://" + s.url.Host, "(secret mss)"}, 0},
		{"redshift-iam://here/" + s.database + "?sslmode=disable&host=" + s.url.Hostname() + "&port=" + s.url.Port(), "",
			[]string{"28P01", "the credentials that AWS gave", "redshift-iam://here/" + s.database}, 1},
	} {
		log := new(journal)
		w := &Warehouse{name: c.url, log: log.logger(), firstDelay: time.Millisecond}
		var err error
		if c.secret != "" {
			err = w.useSecret(t.Context(), c.url, Options{Secret: c.secret})
		} else {
			err = w.useIAM(t.Context(), c.url, Options{})
		}
		if err != nil {
			t.Fatal(err)
		}
		err = w.open(t.Context(), Options{})
		w.Close()
		if err == nil {
			t.Fatalf("%s was opened", c.url)
		}
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("no %q in: %v", word, err)
			}
		}
		wantNoPassword(t, log, err)
		if asked != c.asked { // only secrets rotate
			t.Errorf("%s: credentials were fetched %d times, want %d", c.url, asked, c.asked)
		}
		if got := strings.Contains(log.String(), "fetching it anew"); got != (c.secret != "") {
			t.Errorf("%s: logged %s", c.url, log)
		}
	}
}

// TestNoLogin has an AWS that gives none: said at once, and never as a fault of the network to the warehouse.
func TestNoLogin(t *testing.T) {
	mototest.Setenv(t, mototest.New(t).URL)
	front := awstest.New(t, "here")
	front.RefuseCode = "AccessDeniedException"
	for _, c := range []struct {
		url, secret string
		words       []string
	}{
		{"redshift://h/dev", "nowhere", []string{"log in to redshift://h/dev (secret nowhere): read the secret nowhere", "ResourceNotFoundException"}},
		{"redshift-iam://here/dev", "", []string{"log in to redshift-iam://here/dev: get credentials for the workgroup here", "allow redshift-serverless:GetCredentials"}},
		{"redshift-iam://cluster:gone/dev", "", []string{"log in to redshift-iam://cluster:gone/dev: look up the cluster gone", "ClusterNotFound"}},
	} {
		log := new(journal)
		start := time.Now()
		_, err := Open(t.Context(), c.url, Options{Log: log.logger(), Secret: c.secret})
		if err == nil || errors.Is(err, ErrURL) {
			t.Fatalf("%s: %v", c.url, err)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("it took %s: %v", took, err)
		}
		for _, word := range append(c.words, "public.kpi_table") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("no %q in: %v", word, err)
			}
		}
		if strings.Contains(log.String(), "does not answer") || strings.Contains(err.Error(), "security group") {
			t.Errorf("the warehouse is to blame in: %v, %s", err, log)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, "redshift-iam://here/dev?region=eu-west-1", Options{Log: new(journal).logger()}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

// TestContradictions has settings that do not go together. AWS is not even asked, but for what the secret holds.
func TestContradictions(t *testing.T) {
	mototest.Setenv(t, mototest.New(t).URL)
	storeSecret(t, "bare", `{"username":"u","password":"hunter2-0"}`)
	for _, c := range []struct{ url, secret, word string }{
		{"sqlite:" + filepath.Join(t.TempDir(), "w.db"), "bare", "no secret is needed"},
		{"redshift-iam://here/dev", "bare", "no secret is needed"},
		{"mysql://h/dev", "bare", "want redshift://"},
		{"redshift://u:hunter2@h/dev", "bare", "comes from the secret"},
		{"redshift://u:@h/dev", "bare", "comes from the secret"},
		{"redshift://h/dev?password=hunter2", "bare", "no parameter password"},
		{"redshift://h/dev?user=u", "bare", "no parameter user"},
		{"redshift://h?dbname=dev", "bare", "no parameter dbname"},
		{"redshift:///dev?host=h", "bare", "no parameter host"},
		{"redshift://h/dev?sslmode=bogus", "nowhere", "sslmode"},
		{"redshift://other@h/dev", "bare", "another user"},
		{"redshift:///dev", "bare", "names a host"},
		{"redshift://h", "bare", "names a database"},
		{"redshift-iam://here/dev?sslmode=bogus", "", "sslmode"},
		{"redshift-iam://here/dev?connect_timeout=x", "", "connect_timeout"},
		{"redshift-iam://u:hunter2@here/dev", "", "come from AWS"},
		{"redshift-iam://here/dev?password=hunter2", "", "password"},
		{"redshift-iam://here", "", "database"},
	} {
		log := new(journal)
		w, err := Open(t.Context(), c.url, Options{Log: log.logger(), Secret: c.secret})
		if err == nil {
			w.Close()
		}
		if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s with secret %q: %v; want ErrURL with %q", c.url, c.secret, err, c.word)
		}
		wantNoPassword(t, log, err)
	}
}

// TestFetchedServers looks at the configuration that a URL and a login give.
func TestFetchedServers(t *testing.T) {
	login := identity.Login{Host: "wg.example.com", Port: "5440", Database: "prod", User: "IAMR:mss", Password: "p:@/% "}
	for raw, want := range map[string]string{
		"redshift://":                     "wg.example.com:5440/prod",
		"redshift:///dev":                 "wg.example.com:5440/dev",
		"redshift://other.example.com":    "other.example.com:5439/prod", // the secret's port is not its
		"redshift://other:1/dev":          "other:1/dev",
		"redshift://wg.example.com/dev":   "wg.example.com:5440/dev",
		"redshift://wg.example.com:1/dev": "wg.example.com:1/dev",
		"redshift://[::1]/dev":            "::1:5439/dev",
	} {
		u, err := serverURL(raw)
		if err != nil {
			t.Fatal(err)
		}
		w := &Warehouse{name: raw}
		s, err := w.server(fetched{url: u, defaults: redshiftDefaults, wait: redshiftWait}, login)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		c := s.config
		if got := fmt.Sprintf("%s:%d/%s", c.Host, c.Port, c.Database); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
		if c.User != "IAMR:mss" || c.Password != "p:@/% " {
			t.Errorf("%s: user %q, password %q", raw, c.User, c.Password)
		}
		if len(c.Fallbacks) > 0 || !verifiesFully(c.TLSConfig, c.Host) {
			t.Errorf("%s: the certificate is not verified", raw)
		}
		if s.whole != 5*time.Minute {
			t.Errorf("%s: connecting is tried for %s", raw, s.whole)
		}
	}
	names := []string{"PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGPORT", "PGSSLMODE"}
	for _, name := range names {
		t.Setenv(name, map[bool]string{true: "1", false: "disable"}[name == "PGPORT"])
	}
	w := &Warehouse{name: "x"}
	s, err := w.server(fetched{url: &url.URL{}, defaults: redshiftDefaults, wait: redshiftWait}, login)
	if err != nil {
		t.Fatal(err)
	}
	c := s.config
	if slices.Contains([]string{c.Host, c.User, c.Password, c.Database}, "disable") || c.Port != 5440 || !verifiesFully(c.TLSConfig, c.Host) {
		t.Errorf("the environment of libpq is stronger: %s %s %s %d %+v", c.Host, c.User, c.Database, c.Port, c.TLSConfig)
	}
}

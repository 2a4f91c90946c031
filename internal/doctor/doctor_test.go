package doctor_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/doctor"
	"mss/internal/policy"
)

// finding is the one of an area and a check; the zero finding when there is none.
func finding(r doctor.Report, area, check string) doctor.Finding {
	i := slices.IndexFunc(r.Findings, func(f doctor.Finding) bool { return f.Area == area && f.Check == check })
	if i < 0 {
		return doctor.Finding{}
	}
	return r.Findings[i]
}

func wantRed(t *testing.T, r doctor.Report, area, check string, words ...string) {
	t.Helper()
	f := finding(r, area, check)
	text := f.Detail + " " + strings.Join(f.Missing, " ") + " " + f.Remedy
	if f.Status != doctor.Failed || len(f.Missing) == 0 || f.Remedy == "" || strings.HasPrefix(f.Remedy, ";") || r.OK {
		t.Errorf("%s %s: want red, what is missing, and a remedy: %+v", area, check, f)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s %s does not say %q: %+v", area, check, w, f)
		}
	}
}

// input examines a raw place with these files alone.
func input(t *testing.T, files map[string]string) doctor.Report {
	t.Helper()
	raw := memblob.New("raw")
	for key, text := range files {
		if _, err := raw.Write(t.Context(), key, []byte(text), blob.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
	return doctor.Examine(t.Context(), doctor.Plan{Places: []doctor.Place{{Role: "raw", Bucket: raw}}, Now: time.Now})
}

func TestInputThatIsNotThere(t *testing.T) {
	r := input(t, map[string]string{"metadata/users.csv": "user_id,created_at\n", "streams/notes.txt": "x"})
	wantRed(t, r, "raw", "metadata/songs.csv", "--raw")
	wantRed(t, r, "raw", "streams/**.csv", "--raw")
	if f := finding(r, "raw", "read metadata/users.csv"); f.Status != doctor.OK {
		t.Errorf("users: %+v", f)
	}
}

func TestInputWithAWrongHeader(t *testing.T) {
	r := input(t, map[string]string{
		"metadata/songs.csv": songs, "metadata/users.csv": "user_id,since\n",
		"streams/1.csv": "user_id,track_id,listen_time\n", "streams/2.csv": "user,track_id,listen_time\n", "streams/3.csv": "",
	})
	wantRed(t, r, "raw", "read metadata/users.csv", "column created_at", "since", "docs/contract.md")
	wantRed(t, r, "raw", "read streams/**.csv", "column user_id", "streams/2.csv")
	if f := finding(r, "raw", "read metadata/songs.csv"); f.Status != doctor.OK {
		t.Errorf("songs: %+v", f)
	}
}

// carelessStore lets every writer win.
type carelessStore struct{ blob.Bucket }

func (s carelessStore) Write(ctx context.Context, key string, data []byte, _ blob.Cond) (blob.Object, error) {
	return s.Bucket.Write(ctx, key, data, blob.Cond{})
}

func TestStoreWithoutConditions(t *testing.T) {
	b := memblob.New("curated")
	r := doctor.Examine(t.Context(), doctor.Plan{Places: []doctor.Place{{Role: "curated", Bucket: carelessStore{b}}}, Now: time.Now})
	wantRed(t, r, "curated", "conditional write", "If-None-Match")
	if left, err := b.List(t.Context(), ""); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// insight is a store that tells how it encrypts, and what time it is.
type insight struct {
	blob.Bucket
	algorithm string
	ahead     time.Duration
}

func (s insight) Inspect(context.Context, string) (string, string, time.Time, error) {
	return s.algorithm, "", time.Now().Add(s.ahead), nil
}

func TestStoreThatDoesNotEncrypt(t *testing.T) {
	for algorithm, want := range map[string]doctor.Status{"": doctor.Failed, "AES256": doctor.Failed, "aws:kms": doctor.OK} {
		r := doctor.Examine(t.Context(), doctor.Plan{Needs: policy.Needs{KMSKey: "alias/mss"}, Now: time.Now,
			Places: []doctor.Place{{Role: "curated", Bucket: insight{memblob.New("c"), algorithm, 0}}}})
		if f := finding(r, "curated", "encryption"); f.Status != want {
			t.Errorf("%q: %+v", algorithm, f)
		}
	}
}

func TestClock(t *testing.T) {
	for ahead, want := range map[time.Duration]doctor.Status{0: doctor.OK, 2 * time.Minute: doctor.OK, time.Hour: doctor.Failed, -10 * time.Minute: doctor.Failed} {
		r := doctor.Examine(t.Context(), doctor.Plan{Now: time.Now, Places: []doctor.Place{{Role: "curated", Bucket: insight{memblob.New("c"), "AES256", ahead}}}})
		if f := finding(r, "curated", "clock"); f.Status != want {
			t.Errorf("the server's clock is %v ahead: %+v", ahead, f)
		}
	}
}

func TestWarehouseOutOfReach(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	login := func(context.Context) (doctor.Rehearsal, error) { return nil, errors.New("no login was to be tried") }
	examine := func(host string, tls *doctor.TLS) doctor.Report {
		return doctor.Examine(t.Context(), doctor.Plan{Now: time.Now, Warehouse: &doctor.Warehouse{Host: host, Port: port, TLS: tls, Serverless: true, Open: login}})
	}
	go func() { // a server that does not speak TLS
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			var request [8]byte
			_, _ = c.Read(request[:])
			_, _ = c.Write([]byte("N"))
			c.Close()
		}
	}()
	wantRed(t, examine("127.0.0.1", &doctor.TLS{Verify: true}), "warehouse", "TLS", "does not speak TLS", "check host and port")
	l.Close()
	r := examine("127.0.0.1", nil)
	wantRed(t, r, "warehouse", "port", "nothing listens there", "TCP")
	if f := finding(r, "warehouse", "login"); f.Status != doctor.Skipped {
		t.Errorf("login: %+v", f)
	}
	wantRed(t, examine("mss.invalid", nil), "warehouse", "DNS", "--warehouse")
}

// The certificate is looked at as the driver will.
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate, which is for 127.0.0.1
	defer web.Close()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // a server that speaks TLS as PostgreSQL does, when it is asked to
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			var request [8]byte
			_, _ = io.ReadFull(c, request[:])
			_, _ = c.Write([]byte("S"))
			_ = tls.Server(c, web.TLS).Handshake()
			c.Close()
		}
	}()
	login := func(context.Context) (doctor.Rehearsal, error) { return nil, errors.New("far enough") }
	for _, c := range []struct {
		tls  *doctor.TLS
		want doctor.Status
		says string
	}{
		{&doctor.TLS{Verify: true, RootCert: authority}, doctor.OK, "trusted"},
		{&doctor.TLS{Verify: true}, doctor.Failed, "unknown authority"},
		{&doctor.TLS{Verify: true, AnyHost: true, RootCert: authority}, doctor.OK, "for whichever host"},
		{&doctor.TLS{Verify: true, AnyHost: true}, doctor.Failed, "unknown authority"},
		{&doctor.TLS{Verify: true, RootCert: "/none"}, doctor.Failed, "/none"},
		{&doctor.TLS{}, doctor.OK, "verify-full"},
		{nil, doctor.Warning, "the URL does without"},
	} {
		r := doctor.Examine(t.Context(), doctor.Plan{Now: time.Now,
			Warehouse: &doctor.Warehouse{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: c.tls, Open: login}})
		if f := finding(r, "warehouse", "TLS"); f.Status != c.want || !strings.Contains(f.Detail, c.says) {
			t.Errorf("%+v: %+v", c.tls, f)
		}
	}
}

// A secret is checked, and never repeated.
func TestSecretThatIsNone(t *testing.T) {
	a := newAccount(t)
	a.Enforce(policy.Box(a.needs), false)
	p := a.plan(t)
	for text, want := range map[string]string{"hunter2": "not a JSON document", `{"user":"x","password":"hunter2"}`: "lacks username"} {
		p.Cloud = otherSecret{p.Cloud, text}
		r := doctor.Examine(t.Context(), p)
		f := finding(r, "warehouse", "secret")
		if f.Status != doctor.Failed || !strings.Contains(f.Detail, want) {
			t.Errorf("%+v", f)
		}
		for _, f := range r.Findings {
			if strings.Contains(f.Detail+f.Remedy, "hunter2") {
				t.Errorf("the secret is shown: %+v", f)
			}
		}
	}
}

type otherSecret struct {
	doctor.Cloud
	text string
}

func (s otherSecret) Secret(context.Context, string) (string, error) { return s.text, nil }

// What is asked for by name and is not there gives one red line, which says so.
func TestNamesOfNothing(t *testing.T) {
	a := newAccount(t)
	for area, c := range map[string]struct {
		check, missing string
		choose         func(*policy.Needs)
	}{
		"curated": {"list", "bucket no-such-bucket", func(n *policy.Needs) { n.Curated = policy.Place{Bucket: "no-such-bucket"} }},
		"warehouse, a workgroup": {"workgroup", "workgroup nobody", func(n *policy.Needs) {
			n.Secret, n.Login = "", policy.Login{Workgroup: "nobody", Database: "dev"}
		}},
		"warehouse, a cluster": {"cluster", "cluster nobody", func(n *policy.Needs) { n.Secret, n.Login = "", policy.Login{Cluster: "nobody", Database: "dev"} }},
		"warehouse, a secret": {"secret", "secret arn:", func(n *policy.Needs) {
			n.Secret = "arn:aws:secretsmanager:" + n.Region + ":" + n.Account + ":secret:mss/nobody-a1b2c3"
		}},
	} {
		needs := a.needs
		c.choose(&a.needs)
		a.Enforce(policy.Box(a.needs), false)
		r := doctor.Examine(t.Context(), a.plan(t))
		area, _, _ = strings.Cut(area, ",")
		wantRed(t, r, area, c.check, c.missing)
		if all := red(r); len(all) != 1 {
			t.Errorf("%s: %d red lines: %+v", c.missing, len(all), all)
		}
		a.needs = needs
	}
}

// What AWS tells of a workgroup stands in the limits.
func TestLimitsOfTheWorkgroup(t *testing.T) {
	a := newAccount(t)
	a.needs.Secret, a.needs.Login = "", policy.Login{Workgroup: "sandbox-workspace", Database: "dev"}
	a.Enforce(policy.Box(a.needs), false)
	p := a.plan(t)
	p.Warehouse.Serverless = true
	r := doctor.Examine(t.Context(), p)
	for check, want := range map[string]string{"network": "this workgroup is not public", "queues": "here 14400 s", "cost": "8 RPUs at least and 64 at most"} {
		if f := finding(r, "warehouse", "limit: "+check); !strings.Contains(f.Detail, want) {
			t.Errorf("%s: %+v", check, f)
		}
	}
}

// refusing is a store that says this to each write.
type refusing struct {
	blob.Bucket
	err error
}

func (s refusing) Write(context.Context, string, []byte, blob.Cond) (blob.Object, error) {
	return blob.Object{}, s.err
}

// A reply of AWS, and an error that knows its remedy.
type replied struct{ code, remedy string }

func (r replied) Error() string        { return "write: " + r.code + "; " + r.remedy }
func (r replied) ErrorCode() string    { return r.code }
func (r replied) ErrorMessage() string { return "" }
func (r replied) Remedy() string       { return r.remedy }

// The remedy of an error stands by itself, and is not said twice.
func TestRemedyOfAnError(t *testing.T) {
	for code, missing := range map[string]string{"KMS.DisabledException": "an enabled KMS key", "ExpiredToken": "AWS credentials", "SlowDown": "write, without an error"} {
		r := doctor.Examine(t.Context(), doctor.Plan{Now: time.Now,
			Places: []doctor.Place{{Role: "curated", Bucket: refusing{memblob.New("c"), replied{code, "do that"}}}}})
		wantRed(t, r, "curated", "write", missing)
		if f := finding(r, "curated", "write"); f.Remedy != "do that" || strings.Contains(f.Detail, "do that") {
			t.Errorf("%+v", f)
		}
	}
}

// Without the database there is one red line, with what to do.
func TestCatalogWithoutADatabase(t *testing.T) {
	a := newAccount(t)
	a.Enforce(policy.Box(a.needs), false)
	p := a.plan(t)
	p.Catalog = noDatabase{}
	r := doctor.Examine(t.Context(), p)
	wantRed(t, r, "catalog", "CreateTable", "database mss_db", "aws glue create-database", "deploy/mss.yaml")
}

type noDatabase struct{}

func (noDatabase) Probe(_ context.Context, _ string, tried func(string, error)) {
	tried("glue:CreateTable", errors.New("the Glue database does not exist"))
}

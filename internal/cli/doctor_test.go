package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mss/internal/config"
	"mss/internal/doctor"
	"mss/internal/mototest"
	"mss/internal/redshift"
	"mss/internal/redshift/pgtest"
)

func examined(t *testing.T, r result) doctor.Report {
	t.Helper()
	var report doctor.Report
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatalf("%v: %s %s", err, r.stdout, r.stderr)
	}
	return report
}

// files are all files below a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A lake of folders with SQLite: red as long as there is no input, green with it, and nothing of the doctor's stays.
func TestDoctorOfFolders(t *testing.T) {
	t.Chdir(t.TempDir())
	r := mss(t, nil, "doctor")
	if r.code != 1 || !strings.Contains(r.stdout, "FAILED") || !strings.Contains(r.stdout, "remedy: copy it there") || !strings.Contains(r.stderr, "red lines") {
		t.Errorf("without input: exit code %d, %s%s", r.code, r.stdout, r.stderr)
	}
	if left := files(t, "."); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if r := mss(t, nil, "generate", "--plays", "500"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	before := files(t, ".")
	r = mss(t, nil, "doctor", "--output", "json")
	if report := examined(t, r); r.code != 0 || !report.OK {
		t.Errorf("with input: exit code %d, %+v", r.code, report)
	}
	if after := files(t, "."); len(after) != len(before) {
		t.Errorf("left over: %v", after)
	}
	if r := mss(t, nil, "run", "all"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if r := mss(t, nil, "doctor"); r.code != 0 || !strings.Contains(r.stdout, "0 failed") {
		t.Errorf("after a run: exit code %d, %s", r.code, r.stdout)
	}
	if r := mss(t, nil, "query", "--sql", "SELECT COUNT(*) FROM public.kpi_staging"); !strings.Contains(r.stdout, "0") {
		t.Errorf("staging: %s", r.stdout)
	}
}

func TestDoctorOnServers(t *testing.T) {
	places := onAWS(t)
	args := append(places, "--warehouse", pgtest.New(t), "--catalog", "glue", "--output", "json")
	mss(t, nil, append(places, "generate", "--plays", "500")...)
	r := mss(t, nil, append(args, "doctor")...)
	report := examined(t, r)
	database := false
	for _, f := range report.Findings {
		if f.Status == doctor.Failed && f.Area == "catalog" {
			database = strings.Contains(f.Remedy, "mss catalog sync")
		} else if f.Status == doctor.Failed {
			t.Errorf("%+v", f)
		}
	}
	if r.code != 1 || !database {
		t.Errorf("without the database of the catalog: exit code %d, %+v", r.code, report)
	}
	for _, command := range []string{"run all", "catalog sync", "doctor"} {
		if r = mss(t, nil, append(strings.Fields(command), args...)...); r.code != 0 {
			t.Fatalf("%s: exit code %d, %s %s", command, r.code, r.stdout, r.stderr)
		}
	}
	if strings.Contains(r.stdout, "password") || !strings.Contains(r.stdout, mototest.Account) {
		t.Errorf("who one is: %s", r.stdout)
	}
	// A store that does not encrypt is not taken for one that does.
	r = mss(t, nil, append(args, "doctor", "--kms-key", "alias/mss")...)
	if r.code != 1 || !strings.Contains(r.stdout, "encryption with alias/mss") {
		t.Errorf("a store without KMS: exit code %d, %s", r.code, r.stdout)
	}
}

// What a run refuses as a wrong configuration, the doctor does not find well.
func TestDoctorOfAWrongConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"--warehouse", "redshift://mss@localhost/dev", "--load", "copy"}
	run, doctor := mss(t, nil, append(args, "run", "all")...), mss(t, nil, append(args, "doctor")...)
	if run.code != 2 || doctor.code != 2 || doctor.stderr != run.stderr {
		t.Errorf("run: exit code %d, %s; doctor: exit code %d, %s", run.code, run.stderr, doctor.code, doctor.stderr)
	}
}

func TestWhatTheWarehousesURLSays(t *testing.T) {
	const serverless = "sandbox-workspace.123456789012.eu-west-1.redshift-serverless.amazonaws.com"
	verified := &doctor.TLS{Verify: true}
	for url, want := range map[string]doctor.Warehouse{
		"sqlite:lake/warehouse.db":                                   {},
		"postgres://u:p%40@db/dev":                                   {Host: "db", Port: 5432},
		"postgres://u@db:6000/dev?sslmode=verify-full&sslrootcert=x": {Host: "db", Port: 6000, TLS: &doctor.TLS{Verify: true, RootCert: "x"}},
		"redshift://u@lab1.abc.eu-west-1.redshift.amazonaws.com/dev": {Host: "lab1.abc.eu-west-1.redshift.amazonaws.com", Port: 5439, TLS: verified},
		"redshift://u@" + serverless + ":5440/dev":                   {Host: serverless, Port: 5440, TLS: verified, Serverless: true},
		"redshift://u@localhost/dev?sslmode=disable":                 {Host: "localhost", Port: 5439},
		"redshift-iam://sandbox-workspace/dev?region=eu-west-1":      {Port: 5439, TLS: verified, Serverless: true},
		"redshift-iam://cluster:lab1/dev":                            {Port: 5439, TLS: verified},
	} {
		got := *new(app).examinedWarehouse(&config.Config{Warehouse: url}, redshift.CopyOptions{})
		if strings.Contains(got.Name, "p%40") {
			t.Errorf("%s: the name %s holds the password", url, got.Name)
		}
		got.Open, got.Name, got.Load = nil, "", ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", url, got, want)
		}
	}
}

func TestPolicy(t *testing.T) {
	t.Chdir(t.TempDir())
	moto := mototest.New(t)
	mototest.Setenv(t, moto.URL)
	moto.Add(mototest.Workgroup{Name: "sandbox-workspace"})
	places := []string{"--raw", "s3://lab1-rawdata", "--curated", "s3://lab1-curateddata", "--analytics", "s3://lab1-analytics", "--temp", "s3://lab1-temp"}
	var d struct {
		Version   string
		Statement []struct{ Sid, Effect string }
	}
	read := func(args ...string) string {
		t.Helper()
		r := mss(t, nil, append(args, places...)...)
		if r.code != 0 {
			t.Fatalf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
		d.Statement = nil
		if err := json.Unmarshal([]byte(r.stdout), &d); err != nil || d.Version != "2012-10-17" {
			t.Fatalf("%v: %s", err, r.stdout)
		}
		return r.stdout
	}
	read("policy")
	if len(d.Statement) != 11 {
		t.Errorf("four places need %d statements", len(d.Statement))
	}
	// The account is asked of AWS, or said.
	if text := read("policy", "--catalog", "glue"); !strings.Contains(text, "arn:aws:glue:"+mototest.Region+":"+mototest.Account+":table/mss_db/kpi_table") {
		t.Error(text)
	}
	if text := read("policy", "--catalog", "glue", "--account", "210987654321"); !strings.Contains(text, ":210987654321:table/mss_db/kpi_table") {
		t.Error(text)
	}
	read("policy", "copy")
	if len(d.Statement) != 2 || d.Statement[1].Sid != "ReadTemp" {
		t.Errorf("the role of COPY: %+v", d)
	}
	r := mss(t, nil, "policy")
	if r.code != 2 || !strings.Contains(r.stderr, "nothing on AWS") {
		t.Errorf("folders: exit code %d, %s", r.code, r.stderr)
	}
	if r := mss(t, nil, "policy", "everything"); r.code != 2 {
		t.Errorf("an unknown policy: exit code %d", r.code)
	}
}

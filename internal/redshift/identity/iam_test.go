package identity

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"mss/internal/mototest"
	"mss/internal/redshift/awstest"
	"mss/internal/redshift/iamurl"
)

// from is the source that a URL leads to.
func from(t *testing.T, url string) Source {
	t.Helper()
	target, err := iamurl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	source, err := FromIAM(t.Context(), "", target)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// play is a server that gives each time another password: hunter2-1, hunter2-2, …
func play(t *testing.T, name string) *awstest.Server {
	t.Helper()
	mototest.Setenv(t, "")
	s := awstest.New(t, name)
	n := 0
	s.Issue = func(database, user string) (string, string) {
		n++
		if user == "" {
			return "IAMR:mss", fmt.Sprintf("hunter2-%s-%d", database, n)
		}
		return "IAM:" + user, fmt.Sprintf("hunter2-%s-%d", database, n)
	}
	return s
}

func TestLogins(t *testing.T) {
	for url, c := range map[string]struct {
		want  Login
		calls []string
	}{
		"redshift-iam://wg1/dev": {
			Login{Host: "wg1.example.com", Port: "5439", User: "IAMR:mss"}, []string{"GetWorkgroup", "GetCredentials"}},
		"redshift-iam://wg1/dev?host=10.0.0.7": {
			Login{Host: "10.0.0.7", User: "IAMR:mss"}, []string{"GetCredentials"}},
		"redshift-iam://wg1/dev?port=1234": {
			Login{Host: "wg1.example.com", Port: "1234", User: "IAMR:mss"}, []string{"GetWorkgroup", "GetCredentials"}},
		"redshift-iam://cluster:wg1/dev": {
			Login{Host: "wg1.example.com", Port: "5439", User: "IAMR:mss"}, []string{"DescribeClusters", "GetClusterCredentialsWithIAM"}},
		"redshift-iam://cluster:wg1/dev?user=etl": {
			Login{Host: "wg1.example.com", Port: "5439", User: "IAM:etl"}, []string{"DescribeClusters", "GetClusterCredentials"}},
		"redshift-iam://cluster:wg1/dev?user=etl&host=h&port=1": {
			Login{Host: "h", Port: "1", User: "IAM:etl"}, []string{"GetClusterCredentials"}},
	} {
		s := play(t, "wg1")
		source := from(t, url)
		// Each login is fetched anew.
		for n := 1; n <= 3; n++ {
			c.want.Database, c.want.Password = "dev", Password(fmt.Sprintf("hunter2-dev-%d", n))
			if got, err := source(t.Context()); err != nil || got != c.want {
				t.Errorf("%s: %+v with %s, %v", url, got, string(got.Password), err)
			}
		}
		if got := s.Calls(); !slices.Equal(got, slices.Repeat(c.calls, 3)) {
			t.Errorf("%s: calls %v", url, got)
		}
	}
}

// TestClusterOfMoto has another's idea of a provisioned cluster.
func TestClusterOfMoto(t *testing.T) {
	mototest.Setenv(t, mototest.New(t).URL)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := redshift.NewFromConfig(cfg).CreateCluster(t.Context(), &redshift.CreateClusterInput{
		ClusterIdentifier: aws.String("old-one"), NodeType: aws.String("ra3.large"), MasterUsername: aws.String("admin"),
		MasterUserPassword: aws.String("Hunter2hunter2"), DBName: aws.String("dev"), Port: aws.Int32(5440),
	}); err != nil {
		t.Fatal(err)
	}
	source := from(t, "redshift-iam://cluster:old-one/dev?user=etl")
	first, err := source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(first.Host, "old-one.") || first.Port != "5440" || first.Database != "dev" || first.User != "IAM:etl" || first.Password == "" {
		t.Errorf("%+v", first)
	}
	if second, err := source(t.Context()); err != nil || second.Password == first.Password {
		t.Errorf("the second login is the first one's, or %v", err)
	}
	_, err = from(t, "redshift-iam://cluster:nowhere/dev")(t.Context())
	wantWords(t, err, "look up the cluster nowhere", "ClusterNotFound", "check the name, the region")
}

func TestRefusedLogins(t *testing.T) {
	fails := func(url string, change func(*awstest.Server), words ...string) {
		t.Helper()
		s := play(t, "wg1")
		change(s)
		_, err := from(t, url)(t.Context())
		wantWords(t, err, words...)
	}
	const workgroup, cluster = "redshift-iam://wg1/dev", "redshift-iam://cluster:wg1/dev"
	none := func(*awstest.Server) {}
	fails("redshift-iam://wg2/dev", none, "workgroup wg2", "ResourceNotFoundException", "check the name, the region")
	fails("redshift-iam://cluster:wg2/dev", none, "cluster wg2", "ClusterNotFound", "check the name, the region")

	denied := func(s *awstest.Server) { s.RefuseCode = "AccessDeniedException" }
	fails(workgroup, denied, "get credentials for the workgroup wg1", "AccessDeniedException", "allow redshift-serverless:GetCredentials")
	fails(cluster, denied, "get credentials for the cluster wg1", "allow redshift:GetClusterCredentialsWithIAM")
	fails(cluster+"?user=u", denied, "allow redshift:GetClusterCredentials for")
	fails(workgroup, func(s *awstest.Server) { s.RefuseCode = "ExpiredTokenException" }, "log in again")

	away := func(s *awstest.Server) { s.Host = "" }
	fails(workgroup, away, "wg1", "no endpoint yet")
	fails(cluster, func(s *awstest.Server) { s.Status = "paused" }, "wg1", "it is paused", "resume it")
	fails(cluster, func(s *awstest.Server) { s.Status, s.Host = "creating", "" }, "it is creating")

	nothing := func(s *awstest.Server) { s.Issue = func(string, string) (string, string) { return "IAMR:mss", "" } }
	fails(workgroup, nothing, "workgroup wg1", "holds none")
	fails(cluster, nothing, "cluster wg1", "holds none")
	broken := func(s *awstest.Server) { s.Broken = true }
	fails(workgroup, broken, "cannot be read")
	fails(cluster, broken, "cannot be read")
}

func TestNoRegion(t *testing.T) {
	mototest.Setenv(t, "")
	t.Setenv("AWS_REGION", "")
	for url, words := range map[string][]string{
		"redshift-iam://wg1/dev":       {"workgroup wg1", "?region="},
		"redshift-iam://cluster:c/dev": {"cluster c", "?region="},
	} {
		target, err := iamurl.Parse(url)
		if err != nil {
			t.Fatal(err)
		}
		_, err = FromIAM(t.Context(), "", target)
		wantWords(t, err, append(words, "AWS_REGION")...)
	}
}

// TestUnreachable has an endpoint where nobody listens, and no credentials.
func TestUnreachable(t *testing.T) {
	s := play(t, "wg1")
	t.Setenv("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", "http://127.0.0.1:1")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	_, err := from(t, "redshift-iam://wg1/dev")(t.Context())
	wantWords(t, err, "look up the workgroup wg1", "connection refused", "network")

	t.Setenv("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", s.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err = from(t, "redshift-iam://wg1/dev")(t.Context())
	wantWords(t, err, "look up the workgroup wg1", "check the AWS credentials")
}

func TestPasswordsPrintAsStars(t *testing.T) {
	login := Login{User: "u", Password: "hunter2"}
	text, err := json.Marshal(login)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(login), fmt.Sprintf("%+v", login), fmt.Sprintf("%#v", login), fmt.Sprintf("%q", login),
		fmt.Sprintf("%x", login), fmt.Sprint(login.Password), string(text)} {
		if strings.Contains(s, "hunter2") || strings.Contains(s, "68756e746572") {
			t.Errorf("printed as %s", s)
		}
	}
}

// TestProfile takes region, credentials and endpoint from a section of the shared configuration.
func TestProfile(t *testing.T) {
	s := play(t, "wg1")
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[profile prod]\nregion = ap-south-1\naws_access_key_id = AKPROD\naws_secret_access_key = x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	for url, scope := range map[string]string{"redshift-iam://wg1/dev": "AKPROD/*/ap-south-1/", "redshift-iam://wg1/dev?region=eu-west-1": "AKPROD/*/eu-west-1/"} {
		target, err := iamurl.Parse(url)
		if err != nil {
			t.Fatal(err)
		}
		source, err := FromIAM(t.Context(), "prod", target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source(t.Context()); err != nil {
			t.Fatal(err)
		}
		key, region, _ := strings.Cut(scope, "*")
		if got := s.Signed(); !strings.Contains(got, "Credential="+key) || !strings.Contains(got, region) {
			t.Errorf("%s: signed as %s", url, got)
		}
		_, err = FromIAM(t.Context(), "nobody", target)
		wantWords(t, err, "the workgroup wg1", "nobody")
	}
}

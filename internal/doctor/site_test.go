package doctor_test

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"mss/internal/awsconfig"
	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
	"mss/internal/catalog"
	mssglue "mss/internal/catalog/glue"
	"mss/internal/doctor"
	"mss/internal/doctor/awsprobe"
	"mss/internal/mototest"
	"mss/internal/policy"
	"mss/internal/policy/iamtest"
	warehouse "mss/internal/redshift"
	"mss/internal/redshift/pgtest"
)

// account is an AWS account with IAM: four buckets on a real S3 server, the control APIs of moto, a real PostgreSQL for
// the warehouse, and a proxy before all of AWS that enforces a policy.
type account struct {
	*iamtest.Proxy
	moto      *mototest.Server
	needs     policy.Needs
	direct    map[string]*s3blob.Bucket // past the proxy
	warehouse string
	port      int
}

const songs = "track_id,artists,track_name,popularity,duration_ms,track_genre\n"

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{moto: mototest.New(t), warehouse: pgtest.New(t), direct: map[string]*s3blob.Bucket{},
		needs: policy.Needs{Region: mototest.Region, Account: mototest.Account, KMSKey: iamtest.KeyARN, Catalog: true}}
	u, err := url.Parse(a.warehouse)
	if err != nil {
		t.Fatal(err)
	}
	if a.port, err = strconv.Atoi(u.Port()); err != nil {
		t.Fatal(err)
	}
	a.moto.Add(mototest.Workgroup{Name: "sandbox-workspace", Host: u.Hostname(), Port: a.port})
	var server *s3test.Server
	for role, place := range map[string]*policy.Place{
		"raw": &a.needs.Raw, "curated": &a.needs.Curated, "analytics": &a.needs.Analytics, "temp": &a.needs.Temp,
	} {
		server = s3test.New(t) // one server, a bucket for each call
		*place = policy.Place{Bucket: server.Bucket, Prefix: map[string]string{"temp": "jobs/mss/"}[role]}
		server.Setenv(t)
		a.direct[role] = a.open(t, *place, server.Endpoint, "")
	}
	a.Proxy = iamtest.New(t, server.Endpoint, a.moto.URL)
	t.Setenv("AWS_ENDPOINT_URL", a.URL)
	for key, text := range map[string]string{
		"metadata/songs.csv": songs, "metadata/users.csv": "user_id,created_at\n", "streams/a/1.csv": "user_id,track_id,listen_time\n1,t,2024-06-01 10:00:00\n",
	} {
		a.put(t, "raw", key, text)
	}
	a.furnish(t)
	return a
}

// furnish makes what is not on S3, past the proxy.
func (a *account) furnish(t *testing.T) {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithBaseEndpoint(a.moto.URL), config.WithRegion(mototest.Region))
	if err != nil {
		t.Fatal(err)
	}
	_, err = glue.NewFromConfig(cfg, func(o *glue.Options) { o.BaseEndpoint = &a.moto.URL }).CreateDatabase(t.Context(),
		&glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(catalog.Database)}})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) { o.BaseEndpoint = &a.moto.URL }).CreateSecret(t.Context(),
		&secretsmanager.CreateSecretInput{Name: aws.String("mss/warehouse"), SecretString: aws.String(`{"username":"mss","password":"hunter2"}`)})
	if err != nil {
		t.Fatal(err)
	}
	a.needs.Secret = aws.ToString(secret.ARN)
	_, err = redshift.NewFromConfig(cfg, func(o *redshift.Options) { o.BaseEndpoint = &a.moto.URL }).CreateCluster(t.Context(), &redshift.CreateClusterInput{
		ClusterIdentifier: aws.String("lab1"), NodeType: aws.String("ra3.large"), MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("Hunter2hunter2")})
	if err != nil {
		t.Fatal(err)
	}
}

func (a *account) open(t *testing.T, p policy.Place, endpoint, kmsKey string) *s3blob.Bucket {
	t.Helper()
	b, err := s3blob.Open(t.Context(), "s3://"+p.Bucket+"/"+p.Prefix, s3blob.Options{Endpoint: endpoint, KMSKey: kmsKey, Region: mototest.Region})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (a *account) put(t *testing.T, role, key, text string) {
	t.Helper()
	if _, err := a.direct[role].Write(t.Context(), key, []byte(text), blob.Cond{}); err != nil {
		t.Fatal(err)
	}
}

// localCluster has the endpoint of a cluster here: moto's are names that nobody resolves.
type localCluster struct {
	*awsprobe.AWS
	port int
}

func (c localCluster) Cluster(ctx context.Context, name string) (string, int, error) {
	_, _, err := c.AWS.Cluster(ctx, name)
	return "127.0.0.1", c.port, err
}

// plan is the examination of the account, through the proxy.
func (a *account) plan(t *testing.T) doctor.Plan {
	t.Helper()
	cloud, err := awsprobe.Open(t.Context(), awsconfig.Options{Region: mototest.Region})
	if err != nil {
		t.Fatal(err)
	}
	tables, err := mssglue.Open(t.Context(), awsconfig.Options{Region: mototest.Region})
	if err != nil {
		t.Fatal(err)
	}
	p := doctor.Plan{Needs: a.needs, Cloud: localCluster{cloud, a.port}, Catalog: tables, Now: time.Now, Warehouse: &doctor.Warehouse{
		Name: "postgres://mss@localhost", Host: "127.0.0.1", Port: a.port,
		Open: func(ctx context.Context) (doctor.Rehearsal, error) {
			return warehouse.Open(ctx, a.warehouse, warehouse.Options{ReadOnly: true})
		},
	}}
	for _, r := range []struct {
		role string
		on   policy.Place
	}{{"raw", a.needs.Raw}, {"curated", a.needs.Curated}, {"analytics", a.needs.Analytics}, {"temp", a.needs.Temp}} {
		b := a.open(t, r.on, a.URL, a.needs.KMSKey)
		p.Places = append(p.Places, doctor.Place{Role: r.role, Bucket: b, On: r.on, Uploads: func(ctx context.Context) error {
			_, err := b.Unfinished(ctx)
			return err
		}})
	}
	return p
}

// red are the findings that are not well.
func red(r doctor.Report) []doctor.Finding {
	var all []doctor.Finding
	for _, f := range r.Findings {
		if f.Status == doctor.Failed {
			all = append(all, f)
		}
	}
	return all
}

func (a *account) leftovers(t *testing.T) []string {
	t.Helper()
	var left []string
	for role, b := range a.direct {
		objects, err := b.List(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			if role != "raw" {
				left = append(left, role+": "+o.Key)
			}
		}
		uploads, err := b.Unfinished(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range uploads {
			left = append(left, fmt.Sprintf("%s: upload of %s", role, u))
		}
	}
	return left
}

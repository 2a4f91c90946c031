package e2e

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"mss/internal/mototest"
	"mss/internal/oracle"
	"mss/internal/redshift/awstest"
	"mss/internal/redshift/pgtest"
)

// TestLoginsFromAWS runs the whole program on a warehouse whose login comes from AWS, and looks for the password
// in everything that is printed, logged and written.
func TestLoginsFromAWS(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, server *url.URL, password string) (warehouse string, args []string){
		"secret": func(t *testing.T, server *url.URL, password string) (string, []string) {
			cfg, err := config.LoadDefaultConfig(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(`{"engine":"redshift","host":%q,"port":%q,"dbname":%q,"username":%q,"password":%q}`,
				server.Hostname(), server.Port(), strings.Trim(server.Path, "/"), server.User.Username(), password)
			if _, err := secretsmanager.NewFromConfig(cfg).CreateSecret(t.Context(),
				&secretsmanager.CreateSecretInput{Name: aws.String("prod/mss"), SecretString: &text}); err != nil {
				t.Fatal(err)
			}
			return "redshift://?sslmode=disable", []string{"--warehouse-secret", "prod/mss"}
		},
		"workgroup": func(t *testing.T, server *url.URL, password string) (string, []string) {
			port, err := strconv.Atoi(server.Port())
			if err != nil {
				t.Fatal(err)
			}
			front := awstest.New(t, "sandbox-workspace")
			front.Host, front.Port = server.Hostname(), int32(port)
			front.Issue = func(string, string) (string, string) { return server.User.Username(), password }
			return "redshift-iam://sandbox-workspace" + server.Path + "?region=eu-west-1&sslmode=disable", nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			mototest.Setenv(t, mototest.New(t).URL)
			server, err := url.Parse(pgtest.New(t))
			if err != nil {
				t.Fatal(err)
			}
			password, _ := server.User.Password()
			s := newSite(t, plenty(30))
			warehouse, args := prepare(t, server, password)
			s.warehouse = warehouse
			var said strings.Builder
			run := func(code int, more ...string) {
				t.Helper()
				o := s.mss(t, append(args[:len(args):len(args)], more...)...)
				if o.code != code {
					t.Fatalf("mss %v: exit %d, want %d\n%s", more, o.code, code, o.stderr)
				}
				said.WriteString(o.stdout + o.stderr)
			}
			run(0, "run", "all", "--log-level", "debug", "--output", "json")
			run(0, "run", "all", "--full", "--log-level", "debug", "--log-format", "json")
			run(0, "query", "genres")
			run(0, "history", "--output", "json")
			run(0, "config", "show")
			run(2, "query", "genres", "--warehouse-secret", `{"password":"`+password+`"}`)
			if !strings.Contains(said.String(), "pop") {
				t.Errorf("no ranking in\n%s", said.String())
			}
			// Each place with its state: snapshots, records of runs, locks.
			for _, place := range []string{"curated", "analytics"} {
				for key, data := range s.everything(t, place) {
					fmt.Fprintln(&said, key, string(data))
				}
			}
			if all, err := oracle.ReadLake(s.temp); err == nil {
				for key, data := range all {
					fmt.Fprintln(&said, key, string(data))
				}
			}
			if !strings.Contains(said.String(), "warehouse-secret") {
				t.Error("no record of the settings was looked at")
			}
			if strings.Contains(said.String(), password) {
				t.Error("the password is printed or written somewhere")
			}
		})
	}
}

// TestContradictoryLogins are faults of the configuration, before any work.
func TestContradictoryLogins(t *testing.T) {
	mototest.Setenv(t, "")
	s := newSite(t, plenty(3))
	s.fails(t, 2, []string{"leave warehouse-secret out"}, "query", "genres", "--warehouse-secret", "mss")
	s.warehouse = "redshift-iam://u:hunter2@wg1/dev"
	s.fails(t, 2, []string{"--warehouse", "u:***@wg1", "come from AWS"}, "run", "all")
}

package cli

import (
	"strings"
	"testing"

	"mss/internal/blob/s3test"
	"mss/internal/mototest"
	"mss/internal/policy"
	"mss/internal/policy/iamtest"
)

// TestRunsUnderThePolicy runs everything with just the policy that mss prints: the first run on an empty lake, the second
// one, one that a changed input makes, the catalog.
func TestRunsUnderThePolicy(t *testing.T) {
	for _, prefix := range []string{"", "/team/mss"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			moto := mototest.New(t)
			var buckets []*s3test.Server
			for range 4 {
				buckets = append(buckets, s3test.New(t))
			}
			buckets[0].Setenv(t)
			t.Chdir(t.TempDir())
			places := []string{"--catalog", "glue", "--kms-key", iamtest.KeyARN}
			n := policy.Needs{Region: mototest.Region, Account: mototest.Account, KMSKey: iamtest.KeyARN, Catalog: true}
			for i, p := range []struct {
				flag string
				on   *policy.Place
			}{{"--raw", &n.Raw}, {"--curated", &n.Curated}, {"--analytics", &n.Analytics}, {"--temp", &n.Temp}} {
				*p.on = policy.ParsePlace(buckets[i].URL + prefix)
				places = append(places, p.flag, buckets[i].URL+prefix)
			}
			run := func(code int, args ...string) result {
				t.Helper()
				r := mss(t, nil, append(args, places...)...)
				if r.code != code {
					t.Errorf("mss %s: exit code %d, %s %s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
				}
				return r
			}
			run(0, "generate", "--plays", "3000") // not a part of the pipeline: it may write raw data

			account := iamtest.New(t, buckets[0].Endpoint, moto.URL)
			t.Setenv("AWS_ENDPOINT_URL", account.URL)
			whole := policy.Box(n)
			// The database is the template's.
			whole.Statement = append(whole.Statement, policy.Statement{Effect: "Allow", Action: []string{"glue:CreateDatabase"}, Resource: []string{"arn:*"}})
			account.Enforce(whole, false)
			run(0, "run", "all")
			run(0, "catalog", "sync")
			account.Enforce(policy.Box(n), false)
			for _, command := range []string{"run all", "catalog sync", "run all --full", "catalog show", "doctor", "run all --semantics glue", "catalog sync"} {
				run(0, strings.Fields(command)...)
			}
			if refused := account.Refused(); len(refused) > 0 {
				t.Errorf("refused: %v", refused)
			}
			// The proxy does refuse.
			account.Enforce(policy.Document{}, false)
			if r := run(1, "run", "all"); !strings.Contains(r.stderr, "; allow s3:") {
				t.Errorf("without a policy: %s", r.stderr)
			}
		})
	}
}

package policy_test

import (
	"strings"
	"testing"

	"mss/internal/policy"
)

// all needs everything that a configuration can.
func all() []policy.Needs {
	n := policy.Needs{
		Region: "eu-west-1", Account: "123456789012", KMSKey: "alias/mss", Catalog: true, Secret: "mss/warehouse",
		Raw: policy.ParsePlace("s3://lab1-rawdata"), Curated: policy.ParsePlace("s3://lab1-curateddata/team/"),
		Analytics: policy.ParsePlace("S3://lab1-analytics/"), Temp: policy.ParsePlace("s3://lab1-temp"),
	}
	serverless, cluster, user := n, n, n
	serverless.Login = policy.Login{Workgroup: "sandbox-workspace", Database: "dev"}
	cluster.Login = policy.Login{Cluster: "lab1", Database: "dev"}
	user.Login = policy.Login{Cluster: "lab1", Database: "dev", User: "mss"}
	return []policy.Needs{n, serverless, cluster, user}
}

// No action has a wildcard, no resource is all of a service, no two statements have one name.
func TestNothingIsAllowedWholesale(t *testing.T) {
	for _, n := range all() {
		for _, d := range []policy.Document{policy.Box(n), policy.Copy(n)} {
			seen := map[string]bool{}
			for _, s := range d.Statement {
				if seen[s.Sid] || s.Sid == "" || s.Effect != "Allow" {
					t.Errorf("%+v", s)
				}
				seen[s.Sid] = true
				for _, a := range s.Action {
					if service, action, ok := strings.Cut(a, ":"); !ok || service == "" || strings.ContainsAny(action, "*?") {
						t.Errorf("%s: action %q", s.Sid, a)
					}
				}
				for _, r := range s.Resource {
					part := strings.SplitN(r, ":", 6)
					if len(part) != 6 || part[0] != "arn" || strings.Trim(part[5], "*/") == "" || part[2] != "s3" && part[4] != n.Account {
						t.Errorf("%s: resource %q", s.Sid, r)
					}
				}
				if strings.HasPrefix(s.Action[0], "kms:") && len(s.Condition["StringEquals"]["kms:ViaService"]) == 0 {
					t.Errorf("%s: the key is for S3 alone: %+v", s.Sid, s)
				}
			}
			if len(d.Statement) == 0 {
				t.Error("an empty policy")
			}
		}
	}
}

// The raw place is never written, and Redshift reads nothing but what a load puts there for it.
func TestWhoMayWhat(t *testing.T) {
	n := all()[0]
	box, role := policy.Box(n), policy.Copy(n)
	for _, c := range []struct {
		d                policy.Document
		action, resource string
		allowed          bool
	}{
		{box, "s3:GetObject", "arn:aws:s3:::lab1-rawdata/streams/a/b.csv", true},
		{box, "s3:GetObject", "arn:aws:s3:::lab1-rawdata/private/x", false},
		{box, "s3:PutObject", "arn:aws:s3:::lab1-rawdata/streams/a.csv", false},
		{box, "s3:DeleteObject", "arn:aws:s3:::lab1-rawdata/streams/a.csv", false},
		{box, "s3:PutObject", "arn:aws:s3:::lab1-curateddata/team/_mss/x", true},
		{box, "s3:PutObject", "arn:aws:s3:::lab1-curateddata/other/x", false},
		{box, "s3:DeleteBucket", "arn:aws:s3:::lab1-curateddata", false},
		{box, "glue:DeleteTable", "arn:aws:glue:eu-west-1:123456789012:table/mss_db/mss_doctor", true},
		{box, "glue:DeleteTable", "arn:aws:glue:eu-west-1:123456789012:table/mss_db/kpi_table", false},
		{box, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mss/warehouse-Ab12Cd", true},
		{box, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-Ab12Cd", false},
		{role, "s3:GetObject", "arn:aws:s3:::lab1-temp/redshift-tmp/run/0.parquet", true},
		{role, "s3:GetObject", "arn:aws:s3:::lab1-temp/_mss/x", false},
		{role, "s3:GetObject", "arn:aws:s3:::lab1-curateddata/team/x", false},
		{role, "s3:PutObject", "arn:aws:s3:::lab1-temp/redshift-tmp/run/0.parquet", false},
	} {
		if got := c.d.Find(c.action, c.resource) != nil; got != c.allowed {
			t.Errorf("%s on %s: %t, want %t", c.action, c.resource, got, c.allowed)
		}
	}
}

func TestNothingOnAWSNeedsNothing(t *testing.T) {
	n := policy.Needs{Curated: policy.ParsePlace("lake/curated"), Raw: policy.ParsePlace("file:///x"), KMSKey: "alias/mss"}
	if !n.None() || n.Incomplete() != "" {
		t.Errorf("%+v", policy.Box(n))
	}
}

func TestWhatMustBeKnown(t *testing.T) {
	n := policy.Needs{Curated: policy.ParsePlace("s3://c")}
	if got := n.Incomplete(); got != "" {
		t.Errorf("a bucket's name needs no account: %s", got)
	}
	n.Catalog = true
	if got := n.Incomplete(); !strings.Contains(got, "account") || !strings.Contains(got, "region") {
		t.Errorf("the catalog: %q", got)
	}
}

func TestLogins(t *testing.T) {
	for url, want := range map[string]policy.Login{
		"redshift-iam://sandbox-workspace/dev?region=eu-west-1":     {Workgroup: "sandbox-workspace", Database: "dev"},
		"redshift-iam://cluster:lab1/dev?region=eu-west-1":          {Cluster: "lab1", Database: "dev"},
		"redshift-iam://cluster:lab1/dev?user=mss&region=eu-west-1": {Cluster: "lab1", Database: "dev", User: "mss"},
		"redshift://admin:cluster@host:5439/dev?region=not-ours":    {},
		"sqlite:redshift-iam://x/y":                                 {},
	} {
		if got, region := policy.ParseLogin(url); got != want || (region == "eu-west-1") != (want != policy.Login{}) {
			t.Errorf("%s: %+v, %q", url, got, region)
		}
	}
	account, region, ok := policy.ServerlessHost("wg.123456789012.eu-west-1.redshift-serverless.amazonaws.com")
	if _, _, other := policy.ServerlessHost("lab1.abc.eu-west-1.redshift.amazonaws.com"); account != "123456789012" || region != "eu-west-1" || !ok || other {
		t.Error(account, region, ok, other)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a*", "a", true}, {"a*", "ab/c", true}, {"a*c", "abd", false}, {"*", "", true}, {"a?", "a", false}, {"a??", "abc", true},
		{"x*y*z", "x1y2y3z", true}, {"a", "ab", false}, {"", "", true},
	} {
		if got := policy.Match(c.pattern, c.text); got != c.want {
			t.Errorf("%q, %q: %t", c.pattern, c.text, got)
		}
	}
}

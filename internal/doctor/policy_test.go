package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"mss/internal/doctor"
	"mss/internal/policy"
	"mss/internal/policy/iamtest"
)

// logins are the ways to the warehouse that need a statement of their own.
var logins = map[string]func(*policy.Needs){
	"secret": func(n *policy.Needs) {},
	"IAM, serverless": func(n *policy.Needs) {
		n.Secret, n.Login = "", policy.Login{Workgroup: "sandbox-workspace", Database: "dev"}
	},
	"IAM, cluster": func(n *policy.Needs) { n.Secret, n.Login = "", policy.Login{Cluster: "lab1", Database: "dev"} },
	"user of a cluster": func(n *policy.Needs) {
		n.Secret, n.Login = "", policy.Login{Cluster: "lab1", Database: "dev", User: "mss"}
	},
	"key named by alias": func(n *policy.Needs) { n.Secret, n.KMSKey = "", iamtest.KeyAlias },
}

// TestPolicyIsEnough: with the whole policy all is green, and nothing of the examination stays.
func TestPolicyIsEnough(t *testing.T) {
	for name, choose := range logins {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			choose(&a.needs)
			a.Enforce(policy.Box(a.needs), false)
			r := doctor.Examine(t.Context(), a.plan(t))
			if !r.OK || len(red(r)) > 0 {
				t.Errorf("not green: %+v", red(r))
			}
			if refused := a.Refused(); len(refused) > 0 {
				t.Errorf("refused: %v", refused)
			}
			if left := a.leftovers(t); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
			for _, want := range []string{"aws credentials", "aws clock", "raw list streams/", "raw read streams/**.csv", "curated write", "curated encryption",
				"analytics delete", "temp abort an upload", "warehouse login", "warehouse grants", "warehouse a load, rolled back", "catalog tables"} {
				if !slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool { return f.Area+" "+f.Check == want && f.Status == doctor.OK }) {
					t.Errorf("no green line %q in %+v", want, r.Findings)
				}
			}
		})
	}
}

// TestEachStatementIsNeeded takes one statement out of the policy, for each, and then one action out of a statement:
// the doctor names what is missing, on which resource, and which statement has it; whether or not AWS says what it refused.
func TestEachStatementIsNeeded(t *testing.T) {
	seen := map[string]bool{}
	for name, choose := range logins {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			choose(&a.needs)
			whole := policy.Box(a.needs)
			for i, s := range whole.Statement {
				if seen[s.Sid] && name != "key named by alias" || name == "key named by alias" && s.Sid != "UseKey" {
					continue // the other logins have tried it
				}
				seen[s.Sid] = true
				for _, terse := range []bool{false, true} {
					if terse && !strings.HasPrefix(s.Action[0], "s3:") {
						continue // other services always say what they refuse
					}
					a.Enforce(policy.Document{Statement: slices.Delete(slices.Clone(whole.Statement), i, i+1)}, terse)
					a.named(t, s, s.Action[:0])
					for j, action := range s.Action {
						less := slices.Clone(whole.Statement)
						less[i].Action = slices.Delete(slices.Clone(s.Action), j, j+1)
						a.Enforce(policy.Document{Statement: less}, terse)
						a.named(t, s, []string{action})
					}
				}
			}
		})
	}
	if len(seen) < 17 {
		t.Errorf("only these statements were tried: %v", seen)
	}
}

// named examines the account, and expects a red line with the statement and, of these actions, each; of none, one of its own.
func (a *account) named(t *testing.T, s policy.Statement, actions []string) {
	t.Helper()
	r := doctor.Examine(t.Context(), a.plan(t))
	if r.OK {
		t.Errorf("%s without %v: all is green", s.Sid, actions)
	}
	var hit []string
	for _, f := range red(r) {
		if f.Statement != s.Sid {
			// A right that is missing must not be taken for another.
			t.Errorf("%s without %v: the doctor blames %+v", s.Sid, actions, f)
			continue
		}
		if !slices.ContainsFunc(s.Resource, func(p string) bool { return policy.Match(p, f.Resource) }) || !strings.Contains(f.Remedy, s.Sid) ||
			!strings.Contains(f.Remedy, f.Missing[0]) {
			t.Errorf("%s without %v: %+v", s.Sid, actions, f)
		}
		hit = append(hit, f.Missing...)
	}
	if len(actions) == 0 {
		actions = []string{"any"}
		if slices.ContainsFunc(hit, func(h string) bool { return slices.Contains(s.Action, h) }) {
			return
		}
	}
	for _, action := range actions {
		if !slices.Contains(hit, action) {
			t.Errorf("%s without %s: the doctor names %v; %+v", s.Sid, action, hit, red(r))
		}
	}
}

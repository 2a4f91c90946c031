package iamtest

import (
	"slices"
	"strings"

	"mss/internal/policy"
)

// ask is one thing that a request needs to be allowed: an action on a resource, in a context.
type ask struct {
	action, resource string
	context          map[string][]string
}

// allows evaluates a policy as IAM does, for the operators that mss's policies use.
func allows(d policy.Document, a ask) bool {
	return slices.ContainsFunc(d.Statement, func(s policy.Statement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Action, a.action) &&
			slices.ContainsFunc(s.Resource, func(r string) bool { return policy.Match(r, a.resource) }) && holds(s.Condition, a.context)
	})
}

// holds tells whether all conditions do. An operator that is not known here never does.
func holds(c policy.Condition, context map[string][]string) bool {
	for operator, keys := range c {
		for key, wanted := range keys {
			have, there := context[key]
			name, ifExists := strings.CutSuffix(strings.TrimPrefix(operator, "ForAnyValue:"), "IfExists")
			if !there && ifExists {
				continue
			}
			match := map[string]func(want, have string) bool{
				"StringEquals": func(want, have string) bool { return want == have },
				"StringLike":   policy.Match,
			}[name]
			if match == nil || !slices.ContainsFunc(have, func(h string) bool {
				return slices.ContainsFunc(wanted, func(w string) bool { return match(w, h) })
			}) {
				return false
			}
		}
	}
	return true
}

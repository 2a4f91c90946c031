// Package policy says what mss must be allowed on AWS: the statements of the IAM policy of whoever runs it, and of the
// role with which Redshift reads the temporary objects of a load. It makes no request.
//
// A statement is one need: taken out, one thing no longer works, and `mss doctor` names it. No action has a wildcard,
// and every resource is one that the configuration names.
package policy

import "strings"

// Document is an IAM policy.
type Document struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement allows some actions on some resources.
type Statement struct {
	Sid       string    `json:"Sid"`
	Effect    string    `json:"Effect"`
	Action    []string  `json:"Action"`
	Resource  []string  `json:"Resource"`
	Condition Condition `json:"Condition,omitempty"`
}

// Condition is by operator, then by key.
type Condition map[string]map[string][]string

const version = "2012-10-17" // of the policy language

func document(statements []Statement) Document {
	for i := range statements {
		statements[i].Effect = "Allow"
	}
	return Document{Version: version, Statement: statements}
}

// Find is the statement that allows an action on a resource, conditions aside; nil when none does.
func (d Document) Find(action, resource string) *Statement {
	for i, s := range d.Statement {
		for _, a := range s.Action {
			if a != action {
				continue
			}
			for _, r := range s.Resource {
				if Match(r, resource) {
					return &d.Statement[i]
				}
			}
		}
	}
	return nil
}

// Match is IAM's comparison of a pattern with a text: * is any run of characters, slashes too, ? any one.
func Match(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			rest := strings.TrimLeft(pattern, "*")
			for i := 0; i <= len(text); i++ {
				if Match(rest, text[i:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[0] != '?' && pattern[0] != text[0]:
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

package doctor

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// reply is what every error reply of a service of AWS is.
type reply interface {
	error
	ErrorCode() string
	ErrorMessage() string
}

// denied tells whether IAM, or whatever stands for it, refused.
func denied(err error) bool {
	var r reply
	if !errors.As(err, &r) {
		return false
	}
	switch r.ErrorCode() {
	case "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation", "AllAccessDisabled":
		return true
	}
	return strings.Contains(r.ErrorMessage(), "not authorized to perform")
}

// IAM says which action it refused, when it tells at all, in these words. S3 may refuse for the sake of KMS.
var named = regexp.MustCompile(`not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)(?: on resource: "?(arn:[^\s"]+))?`)

// failure is a red finding. An action that IAM itself names counts more than the one that was tried.
func (e *examination) failure(area, check, action, resource string, err error) Finding {
	f := Finding{Area: area, Check: check, Status: Failed, Detail: err.Error()}
	if !denied(err) {
		return f
	}
	if m := named.FindStringSubmatch(f.Detail); m != nil && m[1] != action {
		action = m[1]
		if resource = m[2]; resource == "" && strings.HasPrefix(action, "kms:") {
			resource = e.Needs.KeyARN()
		}
	}
	if action == "" {
		return f
	}
	f.Missing, f.Resource = []string{action}, resource
	f.Remedy = fmt.Sprintf("allow %s on %s", action, resource)
	if s := e.policy.Find(action, resource); s != nil {
		f.Statement = s.Sid
		f.Remedy += fmt.Sprintf(": statement %s of `mss policy`", s.Sid)
	} else if strings.HasPrefix(action, "kms:") {
		f.Remedy += "; name the key with --kms-key, and `mss policy` has the statement"
	}
	return f
}

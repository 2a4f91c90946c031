package doctor

import (
	"errors"
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

// code is the code of AWS's reply, "" when there was none.
func code(err error) string {
	var r reply
	if !errors.As(err, &r) {
		return ""
	}
	return r.ErrorCode()
}

// absent tells whether AWS does not know what was asked for by name.
func absent(err error) bool {
	switch code(err) {
	case "ResourceNotFoundException", "ClusterNotFound", "ClusterNotFoundFault":
		return true
	}
	return false
}

// lacks says, of replies that are no refusal of a right, what is missing then.
var lacks = map[string]string{
	"NoSuchBucket":       "the bucket",
	"InvalidAccessKeyId": "valid AWS credentials", "XAdminUserNotFound": "valid AWS credentials", "SignatureDoesNotMatch": "valid AWS credentials",
	"ExpiredToken": "AWS credentials that have not expired", "ExpiredTokenException": "AWS credentials that have not expired",
	"UnrecognizedClientException": "valid AWS credentials", "InvalidClientTokenId": "valid AWS credentials",
	"RequestTimeTooSkewed": "the right time",
	"PermanentRedirect":    "the bucket's region", "AuthorizationHeaderMalformed": "the bucket's region", "IllegalLocationConstraintException": "the bucket's region",
	"KMS.NotFoundException": "the KMS key", "KMS.DisabledException": "an enabled KMS key",
	"KMS.KMSInvalidStateException": "an enabled KMS key", "KMS.InvalidKeyUsageException": "a KMS key for encryption",
}

// explain fills in what is missing, by the code of a reply, and takes the remedy out of an error that has one.
func (f *Finding) explain(err error) {
	if missing := lacks[code(err)]; missing != "" {
		f.Missing = []string{missing}
	}
	var known interface{ Remedy() string }
	if errors.As(err, &known) && known.Remedy() != "" {
		f.Remedy = known.Remedy()
		f.Detail = strings.TrimSuffix(f.Detail, "; "+f.Remedy)
	}
}

// failure is a red finding. An action that IAM itself names counts more than the one that was tried.
func (e *examination) failure(area, check, action, resource string, err error) Finding {
	f := Finding{Area: area, Check: check, Status: Failed, Detail: err.Error()}
	f.explain(err)
	if !denied(err) {
		return f
	}
	if strings.Contains(f.Detail, "Lake Formation") { // which refuses over IAM's head
		f.Missing = []string{"a grant of Lake Formation"}
		f.Remedy = "in Lake Formation grant the identity that mss runs as CREATE_TABLE and DESCRIBE on the database, and ALL on its tables; " +
			"or leave the database to IAM (IAMAllowedPrincipals)"
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
	f.Remedy = "allow " + action
	if resource != "" {
		f.Remedy += " on " + resource
	}
	if s := e.policy.Find(action, resource); s != nil {
		f.Statement = s.Sid
		f.Remedy += ": statement " + s.Sid + " of `mss policy`"
	} else if strings.HasPrefix(action, "kms:") {
		f.Remedy += "; name the key with --kms-key, and `mss policy` has the statement"
	}
	return f
}

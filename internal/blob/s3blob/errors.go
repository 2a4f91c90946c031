package s3blob

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"mss/internal/blob"
)

// apiError is what every error reply of the service is to the SDK.
type apiError interface {
	error
	ErrorCode() string
	ErrorMessage() string
}

// reply is what the server said; status 0 when it said nothing that could be read.
type reply struct {
	status  int
	code    string
	message string
	region  string // where the bucket is, when it is elsewhere
	id      string
}

func replyOf(err error) reply {
	var r reply
	var re *awshttp.ResponseError
	if errors.As(err, &re) && re.Response != nil && re.Response.Response != nil {
		r.status, r.id = re.HTTPStatusCode(), re.RequestID
		r.region = re.Response.Header.Get("X-Amz-Bucket-Region")
	}
	var api apiError
	if errors.As(err, &api) {
		r.code, r.message = api.ErrorCode(), api.ErrorMessage()
	}
	return r
}

// clashes are what servers answer when another request got in the way, and the same one may be sent again: S3 itself, and servers
// over folders (versitygw) when a delete removes the empty folder that a write is about to use.
var clashes = []string{"OperationAborted", "ExistingObjectIsDirectory"}

// clashed says that a request was not carried out, because of another at the same moment.
func (r reply) clashed() bool { return slices.Contains(clashes, r.code) }

// unclear says that a request may have been carried out although it failed: the connection broke, or the
// server fell over behind it.
func (r reply) unclear() bool { return r.status == 0 || r.status >= 500 || r.status < 400 }

// failure is an error of the service in one line, with what to do about it; the SDK's own is behind Unwrap.
type failure struct {
	text   string
	errs   []error
	remedy string // "" when nothing general can be said
}

func (f *failure) Error() string {
	if f.remedy == "" {
		return f.text
	}
	return f.text + "; " + f.remedy
}

func (f *failure) Unwrap() []error { return f.errs }

// Remedy is what to do, for whoever shows it apart from the error, which ends with it.
func (f *failure) Remedy() string { return f.remedy }

// fail names the act, the object and a remedy.
func (b *Bucket) fail(ctx context.Context, act, key string, err error) error {
	what := fmt.Sprintf("%s s3://%s/%s%s", act, b.bucket, b.prefix, key)
	if cerr := ctx.Err(); cerr != nil {
		return fmt.Errorf("%s: %w", what, cerr)
	}
	r := replyOf(err)
	switch {
	case r.code == "NoSuchBucket":
	case r.status == http.StatusPreconditionFailed, r.code == "PreconditionFailed":
		if act == "read" {
			return &failure{what + ": " + blob.ErrChanged.Error(), []error{blob.ErrChanged, err}, ""}
		}
		return &failure{what + ": " + blob.ErrPrecondition.Error(), []error{blob.ErrPrecondition, err}, ""}
	case r.status == http.StatusNotFound && (r.code == "NoSuchKey" || r.code == "NotFound" || r.code == "NoSuchVersion"):
		return &failure{what + ": " + blob.ErrNotExist.Error(), []error{blob.ErrNotExist, err}, ""}
	}
	if r.status == 0 && r.code == "" {
		return b.unsent(ctx, what, err)
	}
	text := fmt.Sprintf("%s: %s: %s (HTTP %d", what, r.code, r.message, r.status)
	if r.code == "" || r.code == "UnknownError" {
		text = fmt.Sprintf("%s: HTTP %d %s (", what, r.status, http.StatusText(r.status))
	} else if r.id != "" {
		text += ", "
	}
	if r.id != "" {
		text += "request " + r.id
	}
	text += ")"
	hint := remedy(r.code, act)
	switch {
	case r.region != "" && r.region != b.region && (r.status == 301 || r.status == 307 || r.status == 400):
		hint = fmt.Sprintf("the bucket is in %s, not %s: set AWS_REGION=%s", r.region, b.region, r.region)
	case hint == "" && r.status == http.StatusForbidden:
		hint = remedy("AccessDenied", act)
	}
	return &failure{text, []error{err}, hint}
}

// unsent is about requests that got no answer: no credentials to sign with, or no connection.
func (b *Bucket) unsent(ctx context.Context, what string, err error) error {
	ask, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if b.creds != nil {
		if _, cerr := b.creds.Retrieve(ask); cerr != nil {
			return &failure{what + ": no usable AWS credentials", []error{err, cerr},
				"set AWS_PROFILE or --profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is attached"}
		}
	}
	server := b.endpoint
	if server == "" {
		server = "S3 in " + b.region
	}
	var (
		unknown x509.UnknownAuthorityError
		cert    *tls.CertificateVerificationError
		dns     *net.DNSError
		op      *net.OpError
		timeout net.Error
		broken  *brokenBody
	)
	switch {
	case errors.As(err, &broken): // it could be reached, and cannot tell more
	case errors.As(err, &unknown), errors.As(err, &cert):
		return &failure{fmt.Sprintf("%s: the certificate of %s is not trusted", what, server), []error{err}, "set AWS_CA_BUNDLE to the authority's certificate"}
	case errors.As(err, &dns):
		return &failure{fmt.Sprintf("%s: cannot reach %s: %v", what, server, dns), []error{err}, "check the region, AWS_ENDPOINT_URL and the network"}
	case errors.As(err, &op):
		return &failure{fmt.Sprintf("%s: cannot reach %s: %v", what, server, op), []error{err}, "check AWS_ENDPOINT_URL and the network"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &failure{fmt.Sprintf("%s: %s does not answer in time", what, server), []error{err}, "check AWS_ENDPOINT_URL and the network"}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// remedy is what to do about an error code; "" when nothing general can be said.
func remedy(code, act string) string {
	switch code {
	case "AccessDenied", "AllAccessDisabled", "Forbidden":
		return "allow " + actions[act] + " on this place for the identity that mss runs as (and the KMS key, where there is one)"
	case "NoSuchBucket":
		return "create the bucket, or correct the place"
	case "InvalidAccessKeyId", "XAdminUserNotFound": // the latter is versitygw's
		return "the server does not know this access key: check the profile and AWS_ENDPOINT_URL"
	case "SignatureDoesNotMatch":
		return "the secret access key is wrong for this access key"
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken":
		return "the session has expired: log in again"
	case "RequestTimeTooSkewed":
		return "set this machine's clock"
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return "set AWS_REGION to the bucket's region"
	case "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout":
		return "the service is overloaded: run again, or with fewer --threads"
	case "KMS.NotFoundException", "KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.InvalidKeyUsageException":
		return "check --kms-key and the bucket's key: it must be an enabled key for encryption in the bucket's region"
	case "NoSuchUpload":
		return "the unfinished upload was removed meanwhile, by another run or a lifecycle rule: run again"
	}
	return ""
}

// actions are the IAM actions that the acts need.
var actions = map[string]string{
	"list":            "s3:ListBucket",
	"list uploads of": "s3:ListBucketMultipartUploads",
	"stat":            "s3:GetObject and s3:ListBucket",
	"read":            "s3:GetObject and s3:ListBucket",
	"write":           "s3:PutObject",
	"publish":         "s3:PutObject",
	"abort":           "s3:AbortMultipartUpload",
	"delete":          "s3:DeleteObject",
}

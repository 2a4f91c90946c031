package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"mss/internal/awsconfig"
)

// patience is for one answer of AWS, the SDK's own repetitions included.
const patience = time.Minute

// load is the AWS configuration for what is in a region, "" being the configured one.
func load(ctx context.Context, profile, region, what, remedy string) (aws.Config, error) {
	cfg, err := awsconfig.Load(ctx, awsconfig.Options{Profile: profile, Region: region})
	if err != nil {
		return cfg, fmt.Errorf("read the AWS configuration for %s: %w", what, err)
	}
	if cfg.Region == "" {
		return cfg, fmt.Errorf("no AWS region is known for %s: %s, or set AWS_REGION", what, remedy)
	}
	return cfg, nil
}

// ask makes one request, which needs the right to action. what is the act and its object.
func ask[In, Out, Opt any](ctx context.Context, action, what string, call func(context.Context, *In, ...Opt) (*Out, error), in *In) (*Out, error) {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := call(short, in)
	if err != nil {
		return nil, fail(ctx, action, what, err)
	}
	return out, nil
}

// failure is an error of a service in one line, with what to do about it; the SDK's own is behind Unwrap.
type failure struct {
	text   string
	err    error
	remedy string // which ends the text; "" when nothing general can be said
}

func (f *failure) Error() string  { return f.text }
func (f *failure) Unwrap() error  { return f.err }
func (f *failure) Remedy() string { return f.remedy }

func fail(ctx context.Context, action, what string, err error) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%s: %w", what, cause)
	}
	var unread *smithy.DeserializationError
	if errors.As(err, &unread) { // it holds the answer, secrets and all, and goes no further
		return fmt.Errorf("%s: the answer of AWS cannot be read; check AWS_ENDPOINT_URL and the proxies on the way", what)
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("%s: %w; check the AWS credentials, the region and the network (a VPC without a way out needs an interface endpoint for the service)", what, err)
	}
	text := fmt.Sprintf("%s: %s: %s", what, api.ErrorCode(), api.ErrorMessage())
	hint := remedy(api.ErrorCode(), action)
	if hint != "" {
		text += "; " + hint
	}
	return &failure{text, err, hint}
}

// remedy is what to do about an error code; "" when nothing general can be said.
func remedy(code, action string) string {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		return "allow " + action + " for the identity that mss runs as"
	case "ResourceNotFoundException", "ClusterNotFound", "ClusterNotFoundFault":
		return "check the name, the region and the AWS account"
	case "DecryptionFailure", "KMSAccessDeniedException":
		return "allow kms:Decrypt on the secret's key for the identity that mss runs as"
	case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidSignatureException", "SignatureDoesNotMatch":
		return "check the AWS credentials: --profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	case "ExpiredToken", "ExpiredTokenException":
		return "the AWS session has expired: log in again"
	}
	return ""
}

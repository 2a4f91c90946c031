package glue

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"
)

func missing(err error) bool {
	var e *types.EntityNotFoundException
	return errors.As(err, &e)
}

// fail names the act, the table and a remedy.
func fail(ctx context.Context, act, database, table, action string, err error) error {
	what := fmt.Sprintf("%s the table %s of the Glue database %s", act, table, database)
	if cerr := ctx.Err(); cerr != nil {
		return fmt.Errorf("%s: %w", what, cerr)
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("%s: %w; check the credentials, the region and the network (from a VPC without a way out, the endpoint for Glue)", what, err)
	}
	remedy := ""
	switch api.ErrorCode() {
	case "AccessDeniedException":
		remedy = "; allow " + action + " for the identity that mss runs as: `mss policy` prints what it needs"
	case "ConcurrentModificationException":
		remedy = "; another changed it meanwhile: run `mss catalog sync` again"
	case "EntityNotFoundException":
		remedy = "; `mss catalog sync` creates it"
	}
	return &failure{fmt.Sprintf("%s: %s: %s%s", what, api.ErrorCode(), api.ErrorMessage(), remedy), err}
}

// failure is an error of the service in one line; the SDK's own is behind Unwrap.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

package identity

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"

	"mss/internal/redshift/iamurl"
)

// FromIAM is the source that has Redshift give credentials for a database. They last for 15 minutes; a connection
// that logged in with them outlives them.
func FromIAM(ctx context.Context, profile string, t iamurl.Target) (Source, error) {
	what := "the workgroup " + t.Workgroup
	if t.Cluster != "" {
		what = "the cluster " + t.Cluster
	}
	cfg, err := load(ctx, profile, t.Region, what, "write ?region=… in the URL")
	if err != nil {
		return nil, err
	}
	if t.Cluster != "" {
		return cluster{redshift.NewFromConfig(cfg), t}.login, nil
	}
	return workgroup{redshiftserverless.NewFromConfig(cfg), t}.login, nil
}

// endpoint is what AWS says, but for a port of the URL.
func endpoint(t iamurl.Target, address *string, port *int32) (string, string) {
	switch {
	case t.Port != "":
		return *address, t.Port
	case aws.ToInt32(port) > 0:
		return *address, strconv.Itoa(int(*port))
	}
	return *address, ""
}

func given(l Login, user, password *string, of string) (Login, error) {
	l.User, l.Password = aws.ToString(user), Password(aws.ToString(password))
	if l.User == "" || l.Password == "" {
		return Login{}, fmt.Errorf("get credentials for the %s: the answer of AWS holds none; check AWS_ENDPOINT_URL", of)
	}
	return l, nil
}

package identity

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"

	"mss/internal/redshift/iamurl"
)

// workgroup is one of Redshift Serverless.
type workgroup struct {
	client *redshiftserverless.Client
	iamurl.Target
}

func (w workgroup) login(ctx context.Context) (Login, error) {
	host, port := w.Host, w.Port
	if host == "" {
		out, err := ask(ctx, "redshift-serverless:GetWorkgroup", "look up the workgroup "+w.Workgroup, w.client.GetWorkgroup,
			&redshiftserverless.GetWorkgroupInput{WorkgroupName: &w.Workgroup})
		if err != nil {
			return Login{}, err
		}
		if out.Workgroup == nil || out.Workgroup.Endpoint == nil || aws.ToString(out.Workgroup.Endpoint.Address) == "" {
			return Login{}, fmt.Errorf("look up the workgroup %s: it has no endpoint yet; wait until it is available", w.Workgroup)
		}
		host, port = endpoint(w.Target, out.Workgroup.Endpoint.Address, out.Workgroup.Endpoint.Port)
	}
	out, err := ask(ctx, "redshift-serverless:GetCredentials", "get credentials for the workgroup "+w.Workgroup, w.client.GetCredentials,
		&redshiftserverless.GetCredentialsInput{WorkgroupName: &w.Workgroup, DbName: &w.Database})
	if err != nil {
		return Login{}, err
	}
	return given(Login{Host: host, Port: port, Database: w.Database}, out.DbUser, out.DbPassword, "workgroup "+w.Workgroup)
}

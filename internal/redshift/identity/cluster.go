package identity

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"mss/internal/redshift/iamurl"
)

// cluster is a provisioned one.
type cluster struct {
	client *redshift.Client
	iamurl.Target
}

func (c cluster) login(ctx context.Context) (Login, error) {
	login := Login{Host: c.Host, Port: c.Port, Database: c.Database}
	if c.Host == "" {
		out, err := ask(ctx, "redshift:DescribeClusters", "look up the cluster "+c.Cluster, c.client.DescribeClusters,
			&redshift.DescribeClustersInput{ClusterIdentifier: &c.Cluster})
		if err != nil {
			return Login{}, err
		}
		if len(out.Clusters) != 1 {
			return Login{}, fmt.Errorf("look up the cluster %s: there are %d; check the name and the region", c.Cluster, len(out.Clusters))
		}
		there := out.Clusters[0]
		status := aws.ToString(there.ClusterStatus)
		if status == "paused" || there.Endpoint == nil || aws.ToString(there.Endpoint.Address) == "" {
			return Login{}, fmt.Errorf("look up the cluster %s: it is %s and cannot be connected to; resume it, or wait until it is available", c.Cluster, status)
		}
		login.Host, login.Port = endpoint(c.Target, there.Endpoint.Address, there.Endpoint.Port)
	}
	what := "get credentials for the cluster " + c.Cluster
	if c.User == "" {
		out, err := ask(ctx, "redshift:GetClusterCredentialsWithIAM", what, c.client.GetClusterCredentialsWithIAM,
			&redshift.GetClusterCredentialsWithIAMInput{ClusterIdentifier: &c.Cluster, DbName: &c.Database})
		if err != nil {
			return Login{}, err
		}
		return given(login, out.DbUser, out.DbPassword, "cluster "+c.Cluster)
	}
	// The user must be there: one made now could not do anything.
	out, err := ask(ctx, "redshift:GetClusterCredentials", what, c.client.GetClusterCredentials,
		&redshift.GetClusterCredentialsInput{ClusterIdentifier: &c.Cluster, DbName: &c.Database, DbUser: &c.User})
	if err != nil {
		return Login{}, err
	}
	return given(login, out.DbUser, out.DbPassword, "cluster "+c.Cluster)
}

// Package awsprobe asks the control APIs of AWS what the doctor, and whoever prints a policy, want to know: who one is,
// and whether one may read the warehouse's secret or log in to it by IAM. It changes nothing, and keeps no secret.
package awsprobe

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"mss/internal/awsconfig"
	"mss/internal/doctor"
)

// AWS is an identity in a region.
type AWS struct{ cfg aws.Config }

var _ doctor.Cloud = (*AWS)(nil)

// Open reads the AWS configuration. It makes no request but, on an instance, for the region.
func Open(ctx context.Context, opt awsconfig.Options) (*AWS, error) {
	cfg, err := awsconfig.Load(ctx, opt)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	return &AWS{cfg}, nil
}

// Region is "" when none is configured.
func (a *AWS) Region() string { return a.cfg.Region }

// Who is sts:GetCallerIdentity, which needs no right. now is the time by the server's clock, zero when it did not say.
func (a *AWS) Who(ctx context.Context) (arn, account string, now time.Time, err error) {
	out, err := sts.NewFromConfig(a.cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", "", time.Time{}, err
	}
	now, _ = awsmiddleware.GetServerTime(out.ResultMetadata)
	return aws.ToString(out.Arn), aws.ToString(out.Account), now, nil
}

// Secret reads a secret's text.
func (a *AWS) Secret(ctx context.Context, id string) (string, error) {
	out, err := secretsmanager.NewFromConfig(a.cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SecretString), nil
}

// Workgroup describes a workgroup of Redshift Serverless.
func (a *AWS) Workgroup(ctx context.Context, name string) (doctor.Workgroup, error) {
	out, err := redshiftserverless.NewFromConfig(a.cfg).GetWorkgroup(ctx, &redshiftserverless.GetWorkgroupInput{WorkgroupName: &name})
	if err != nil {
		return doctor.Workgroup{}, err
	}
	g := out.Workgroup
	w := doctor.Workgroup{
		ARN: aws.ToString(g.WorkgroupArn), Public: aws.ToBool(g.PubliclyAccessible), EnhancedRouting: aws.ToBool(g.EnhancedVpcRouting),
		BaseCapacity: int(aws.ToInt32(g.BaseCapacity)), MaxCapacity: int(aws.ToInt32(g.MaxCapacity)), Status: string(g.Status),
	}
	for _, p := range g.ConfigParameters {
		if aws.ToString(p.ParameterKey) == "max_query_execution_time" {
			w.MaxQuery = aws.ToString(p.ParameterValue)
		}
	}
	if g.Endpoint != nil {
		w.Host, w.Port = aws.ToString(g.Endpoint.Address), int(aws.ToInt32(g.Endpoint.Port))
	}
	return w, nil
}

// WorkgroupLogin fetches credentials of a workgroup, and forgets them.
func (a *AWS) WorkgroupLogin(ctx context.Context, name, database string) (user string, err error) {
	out, err := redshiftserverless.NewFromConfig(a.cfg).GetCredentials(ctx, &redshiftserverless.GetCredentialsInput{
		WorkgroupName: &name, DbName: &database,
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.DbUser), nil
}

// Cluster finds the endpoint of a provisioned cluster.
func (a *AWS) Cluster(ctx context.Context, name string) (host string, port int, err error) {
	out, err := redshift.NewFromConfig(a.cfg).DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &name})
	if err != nil {
		return "", 0, err
	}
	for _, c := range out.Clusters {
		if c.Endpoint != nil {
			return aws.ToString(c.Endpoint.Address), int(aws.ToInt32(c.Endpoint.Port)), nil
		}
	}
	return "", 0, fmt.Errorf("the cluster %s has no endpoint; is it paused?", name)
}

// ClusterLogin fetches credentials of a provisioned cluster, and forgets them. user "" is the one that stands for the
// IAM identity.
func (a *AWS) ClusterLogin(ctx context.Context, name, database, user string) (string, error) {
	client := redshift.NewFromConfig(a.cfg)
	if user == "" {
		out, err := client.GetClusterCredentialsWithIAM(ctx, &redshift.GetClusterCredentialsWithIAMInput{ClusterIdentifier: &name, DbName: &database})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.DbUser), nil
	}
	out, err := client.GetClusterCredentials(ctx, &redshift.GetClusterCredentialsInput{ClusterIdentifier: &name, DbName: &database, DbUser: &user})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.DbUser), nil
}

package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"mss/internal/awsconfig"
	"mss/internal/config"
	"mss/internal/doctor/awsprobe"
	"mss/internal/policy"
)

// needsOf is what the configuration uses of AWS, so far as it says so itself: region and account stand in the ARNs and
// the host of a workgroup.
func needsOf(cfg *config.Config) policy.Needs {
	n := policy.Needs{
		Raw: policy.ParsePlace(cfg.Raw), Curated: policy.ParsePlace(cfg.Curated),
		Analytics: policy.ParsePlace(cfg.Analytics), Temp: policy.ParsePlace(cfg.Temp),
		KMSKey: cfg.KMSKey, Catalog: cfg.Catalog == "glue", Secret: cfg.WarehouseSecret,
	}
	n.Login, n.Region = policy.ParseLogin(cfg.Warehouse)
	for _, arn := range []string{n.KMSKey, n.Secret} {
		// arn:partition:service:region:account:resource
		if part := strings.SplitN(arn, ":", 6); len(part) == 6 && part[0] == "arn" {
			n.Partition, n.Account = part[1], part[4]
			n.Region = first(n.Region, part[3])
		}
	}
	if u, err := url.Parse(cfg.Warehouse); err == nil {
		if account, region, ok := policy.ServerlessHost(u.Hostname()); ok {
			n.Account, n.Region = account, first(n.Region, region)
		}
	}
	return n
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// openAWS is the identity that mss has, in the region of the needs.
func openAWS(ctx context.Context, cfg *config.Config, n *policy.Needs) (*awsprobe.AWS, error) {
	cloud, err := awsprobe.Open(ctx, awsconfig.Options{Profile: cfg.Profile, Region: n.Region, Endpoint: n.Region == "" && cfg.S3Endpoint != ""})
	if err != nil {
		return nil, err
	}
	n.Region = first(n.Region, cloud.Region())
	if n.Partition == "" {
		switch {
		case strings.HasPrefix(n.Region, "cn-"):
			n.Partition = "aws-cn"
		case strings.HasPrefix(n.Region, "us-gov-"):
			n.Partition = "aws-us-gov"
		}
	}
	return cloud, nil
}

// complete asks AWS for what the policy must name and the configuration does not: the account, and a workgroup's ARN.
func complete(ctx context.Context, cloud *awsprobe.AWS, n *policy.Needs) error {
	if n.Incomplete() == "" && (n.Login.Workgroup == "" || n.Login.WorkgroupARN != "") {
		return nil
	}
	if n.Account == "" {
		_, account, _, err := cloud.Who(ctx)
		if err != nil {
			return usageError{fmt.Errorf("the policy must name %s, and AWS could not be asked: %w; say --account, and set AWS_REGION", n.Incomplete(), err)}
		}
		n.Account = account
	}
	if n.Login.Workgroup != "" && n.Login.WorkgroupARN == "" {
		// Without the right to ask, the policy names all workgroups of the account.
		if g, err := cloud.Workgroup(ctx, n.Login.Workgroup); err == nil {
			n.Login.WorkgroupARN = g.ARN
		}
	}
	if missing := n.Incomplete(); missing != "" {
		return usageError{fmt.Errorf("the policy must name %s", missing)}
	}
	return nil
}

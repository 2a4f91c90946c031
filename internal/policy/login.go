package policy

import (
	"strings"

	"mss/internal/redshift/iamurl"
)

// Login is an IAM login to the warehouse; the zero value is a login by password.
type Login struct {
	Workgroup    string // of Redshift Serverless
	WorkgroupARN string // it holds an id, not the name; "" stands for all workgroups of the account

	Cluster  string // a provisioned cluster
	Database string
	User     string // of the database; "" is the one that stands for the IAM identity
}

// ParseLogin reads the login out of the warehouse's URL, redshift-iam://…; of any other URL it is the zero Login. region
// is "" when the URL names none.
func ParseLogin(warehouse string) (login Login, region string) {
	t, err := iamurl.Parse(warehouse)
	if err != nil {
		return Login{}, ""
	}
	return Login{Workgroup: t.Workgroup, Cluster: t.Cluster, Database: t.Database, User: t.User}, t.Region
}

// ServerlessHost takes account and region out of the host of a workgroup's endpoint:
// WORKGROUP.ACCOUNT.REGION.redshift-serverless.amazonaws.com.
func ServerlessHost(host string) (account, region string, ok bool) {
	part := strings.Split(host, ".")
	if len(part) < 6 || part[3] != "redshift-serverless" {
		return "", "", false
	}
	return part[1], part[2], true
}

package policy

import (
	"net/url"
	"strings"
)

// Login is an IAM login to the warehouse; the zero value is a login by password.
type Login struct {
	Workgroup    string // of Redshift Serverless
	WorkgroupARN string // it holds an id, not the name; "" stands for all workgroups of the account

	Cluster  string // a provisioned cluster
	Database string
	User     string // of the database; "" is the one that stands for the IAM identity
}

// ParseLogin reads the login out of the warehouse's URL: redshift-iam://WORKGROUP/DATABASE, or
// redshift-iam://cluster:NAME/DATABASE, where ?user= may name a user of the database. Region is that of ?region=.
func ParseLogin(warehouse string) (login Login, region string) {
	rest, ok := strings.CutPrefix(warehouse, "redshift-iam://")
	if !ok {
		return Login{}, ""
	}
	rest, query, _ := strings.Cut(rest, "?")
	name, database, _ := strings.Cut(rest, "/")
	values, _ := url.ParseQuery(query)
	if cluster, ok := strings.CutPrefix(name, "cluster:"); ok {
		return Login{Cluster: cluster, Database: database, User: values.Get("user")}, values.Get("region")
	}
	return Login{Workgroup: name, Database: database}, values.Get("region")
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

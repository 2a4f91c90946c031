package iamtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"mss/internal/mototest"
)

// awsAsks are what a request to a control API needs. What is not known here is asked for as it is called, on *, which
// no policy of mss allows.
func awsAsks(service string, r *http.Request, body []byte) []ask {
	arn := func(resource string) string {
		return "arn:aws:" + service + ":" + mototest.Region + ":" + mototest.Account + ":" + resource
	}
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in map[string]any
	_ = json.Unmarshal(body, &in)
	field := func(name string) string {
		s, _ := in[name].(string)
		return s
	}
	form, _ := url.ParseQuery(string(body))
	switch service {
	case "sts": // needs no right
		return nil
	case "glue":
		return glueAsks(op, arn, field, in)
	case "secretsmanager":
		return []ask{{action: "secretsmanager:" + op, resource: field("SecretId")}}
	case "redshift-serverless":
		return []ask{{action: "redshift-serverless:" + op, resource: mototest.Workgroup{}.ARN()}}
	case "redshift":
		return redshiftAsks(form, arn)
	}
	return []ask{{action: service + ":" + op, resource: "*"}}
}

// glueAsks: whoever works on a table needs the action on the catalog, the database and the table.
func glueAsks(op string, arn func(string) string, field func(string) string, in map[string]any) []ask {
	switch op { // no actions of IAM, see the API reference
	case "GetColumnStatisticsForTable":
		op = "GetTable"
	case "UpdateColumnStatisticsForTable":
		op = "UpdateTable"
	}
	table := field("TableName")
	if table == "" {
		table = field("Name")
	}
	if t, ok := in["TableInput"].(map[string]any); ok {
		table, _ = t["Name"].(string)
	}
	var asks []ask
	for _, resource := range []string{"catalog", "database/" + field("DatabaseName"), "table/" + field("DatabaseName") + "/" + table} {
		asks = append(asks, ask{action: "glue:" + op, resource: arn(resource)})
	}
	return asks
}

func redshiftAsks(form url.Values, arn func(string) string) []ask {
	cluster, action := form.Get("ClusterIdentifier"), "redshift:"+form.Get("Action")
	switch form.Get("Action") {
	case "DescribeClusters":
		return []ask{{action: action, resource: arn("cluster:" + cluster)}}
	case "GetClusterCredentialsWithIAM":
		return []ask{{action: action, resource: arn("dbname:" + cluster + "/" + form.Get("DbName"))}}
	case "GetClusterCredentials":
		return []ask{
			{action: action, resource: arn("dbname:" + cluster + "/" + form.Get("DbName"))},
			{action: action, resource: arn("dbuser:" + cluster + "/" + form.Get("DbUser"))},
		}
	}
	return []ask{{action: action, resource: "*"}}
}

package iamurl

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for url, want := range map[string]Target{
		"redshift-iam://sandbox-workspace/dev":                                  {Workgroup: "sandbox-workspace", Database: "dev"},
		"redshift-iam://wg1/dev?region=eu-west-1":                               {Workgroup: "wg1", Database: "dev", Region: "eu-west-1"},
		"redshift-iam://wg1/dev?region=us-gov-east-1&sslrootcert=/a%20b&x=a+b":  {Workgroup: "wg1", Database: "dev", Region: "us-gov-east-1", Params: "sslrootcert=/a%20b&x=a+b"},
		"redshift-iam://wg1/dev?connect_timeout=9&host=10.0.0.7&port=5440":      {Workgroup: "wg1", Database: "dev", Host: "10.0.0.7", Port: "5440", Params: "connect_timeout=9"},
		"redshift-iam://cluster:old-one/Dev%5F2?user=a%40b+c&region=eu-south-2": {Cluster: "old-one", Database: "Dev_2", User: "a@b+c", Region: "eu-south-2"},
	} {
		got, err := Parse(url)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", url, got, err, want)
		}
	}
}

func TestParseWrong(t *testing.T) {
	for url, word := range map[string]string{
		"redshift://wg1/dev":                         "want redshift-iam://",
		"redshift-iam:wg1/dev":                       "want redshift-iam://",
		"redshift-iam://":                            "workgroup",
		"redshift-iam:///dev":                        "workgroup",
		"redshift-iam://wg1":                         "database",
		"redshift-iam://wg1/":                        "database",
		"redshift-iam://wg1/a/b":                     "database",
		"redshift-iam://wg1/%zz":                     "database",
		"redshift-iam://wg1:5439/dev":                "workgroup",
		"redshift-iam://workgroup:wg1/dev":           "workgroup",
		"redshift-iam://cluster:/dev":                "cluster",
		"redshift-iam://cluster:a.b.com/dev":         "cluster",
		"redshift-iam://cluster:Upper/dev":           "cluster",
		"redshift-iam://wg1.1.eu.amazonaws.com/dev":  "without the host",
		"redshift-iam://user:hunter2@wg1/dev":        "come from AWS",
		"redshift-iam://wg1/dev?password=hunter2":    "password",
		"redshift-iam://wg1/dev?pass%77ord=hunter2":  "password",
		"redshift-iam://wg1/dev?dbname=x":            "dbname",
		"redshift-iam://wg1/dev#hunter2":             "want redshift-iam://",
		"redshift-iam://wg1/dev?hunter2":             "name=value",
		"redshift-iam://wg1/dev?region=%zz":          "name=value",
		"redshift-iam://wg1/dev?region=":             "eu-west-1",
		"redshift-iam://wg1/dev?region=Ireland":      "eu-west-1",
		"redshift-iam://wg1/dev?user=u":              "clusters",
		"redshift-iam://cluster:c/dev?user=":         "user",
		"redshift-iam://cluster:c/dev?user=IAM%3Au":  "user",
		"redshift-iam://wg1/dev?port=0":              "port",
		"redshift-iam://wg1/dev?port=hunter2":        "port",
		"redshift-iam://wg1/dev?host=a%2Fb":          "host",
		"redshift-iam://wg1/dev?port=5439&port=5440": "twice",
	} {
		_, err := Parse(url)
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v; want %q in it", url, err, word)
		}
	}
}

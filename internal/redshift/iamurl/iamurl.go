// Package iamurl reads the URL of a warehouse that one logs in to by an AWS identity, without a password:
//
//	redshift-iam://WORKGROUP/DATABASE       a workgroup of Redshift Serverless
//	redshift-iam://cluster:NAME/DATABASE    a provisioned cluster
//
// Parameters: region (of the workgroup or cluster), user (of the database, on a cluster only; without it the user that
// stands for the identity), host and port (where to connect instead of the endpoint that AWS names, as a VPC endpoint
// of one's own). All others, as sslrootcert or connect_timeout, are the driver's.
package iamurl

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Scheme is what such a URL starts with.
const Scheme = "redshift-iam://"

// Target is a warehouse that such a URL names: a workgroup or a cluster, and a database of it.
type Target struct {
	Workgroup string // "" when it is a cluster
	Cluster   string // "" when it is a workgroup
	Database  string
	User      string // "" is the user that stands for the AWS identity
	Region    string // "" is that of the AWS configuration
	Host      string // "" is the endpoint's
	Port      string // "" is the endpoint's
	Params    string // what is left of the parameters, as written
}

const want = "want redshift-iam://WORKGROUP/DATABASE?region=REGION or redshift-iam://cluster:NAME/DATABASE?region=REGION"

var (
	workgroupForm = regexp.MustCompile(`^[a-z0-9-]{3,64}$`)
	clusterForm   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	databaseForm  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_+.@$-]{0,126}$`)
	userForm      = regexp.MustCompile(`^[A-Za-z0-9_+.@-]{1,127}$`)
	regionForm    = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	hostForm      = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)
)

// Parse reads a URL that starts with Scheme. What is wrong about it is said without repeating any of it but the names
// of parameters: it may hold a password that belongs elsewhere.
func Parse(s string) (Target, error) {
	rest, ok := strings.CutPrefix(s, Scheme)
	if !ok || strings.Contains(rest, "#") {
		return Target{}, errors.New(want)
	}
	// Not by net/url, to which a name behind a colon is a wrong port.
	path, query, _ := strings.Cut(rest, "?")
	name, path, _ := strings.Cut(path, "/")
	if strings.Contains(rest, "@") {
		return Target{}, errors.New("user and password come from AWS, and are not written; " + want + ", where @ is written %40")
	}
	var t Target
	if cluster, ok := strings.CutPrefix(name, "cluster:"); ok {
		if t.Cluster = cluster; !clusterForm.MatchString(cluster) {
			return Target{}, errors.New("the cluster is missing or no name: it is lower-case letters, digits and hyphens, without the host or the port; " + want)
		}
	} else if t.Workgroup = name; !workgroupForm.MatchString(name) {
		return Target{}, errors.New("the workgroup is missing or no name: it is lower-case letters, digits and hyphens, without the host or the port; " + want)
	}
	database, err := url.PathUnescape(path)
	if err != nil || !databaseForm.MatchString(database) {
		return Target{}, errors.New("the database is missing or no name; " + want)
	}
	t.Database = database
	if err := t.parameters(query); err != nil {
		return Target{}, err
	}
	return t, nil
}

// parameters takes those that are its own, and leaves the others to the driver as they are.
func (t *Target) parameters(query string) error {
	given := make(map[string]bool)
	var others []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, assigned := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		value, verr := url.PathUnescape(rawValue) // to the driver too a plus is a plus
		if !assigned || err != nil || verr != nil {
			return errors.New("a parameter is written name=value, with special characters as %XX; " + want)
		}
		if given[name] {
			return fmt.Errorf("the parameter %s is given twice", name)
		}
		given[name] = true
		switch name {
		case "region":
			t.Region = value
		case "user":
			t.User = value
		case "host":
			t.Host = value
		case "port":
			t.Port = value
		case "password", "passfile", "dbname", "database", "service", "servicefile":
			return fmt.Errorf("there is no parameter %s: user and password come from AWS; %s", name, want)
		default:
			others = append(others, pair)
		}
	}
	t.Params = strings.Join(others, "&")
	switch {
	case given["region"] && !regionForm.MatchString(t.Region):
		return errors.New("the parameter region names none: want one such as eu-west-1")
	case given["user"] && t.Cluster == "":
		return errors.New("the parameter user is for clusters: in a workgroup the user is the one that stands for the AWS identity")
	case given["user"] && !userForm.MatchString(t.User):
		return errors.New("the parameter user is no name of a user")
	case given["host"] && !hostForm.MatchString(t.Host):
		return errors.New("the parameter host is no name of a host")
	case given["port"] && !validPort(t.Port):
		return errors.New("the parameter port is wrong: want a number from 1 to 65535")
	}
	return nil
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

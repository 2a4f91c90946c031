package policy

import (
	"mss/internal/catalog"
)

// Box is the policy of whoever runs mss.
func Box(n Needs) Document {
	var all []Statement
	all = append(all, raw(n)...)
	for _, p := range []struct {
		name  string
		place Place
	}{{"Curated", n.Curated}, {"Analytics", n.Analytics}, {"Temp", n.Temp}} {
		all = append(all, written(n, p.name, p.place)...)
	}
	if n.usesKey() {
		all = append(all, key(n, "kms:Decrypt", "kms:GenerateDataKey"))
	}
	if n.Catalog {
		all = append(all, tables(n)...)
	}
	if n.Secret != "" {
		all = append(all, Statement{Sid: "ReadSecret", Action: []string{"secretsmanager:GetSecretValue"}, Resource: []string{n.SecretARN()}})
	}
	return document(append(all, login(n)...))
}

// raw is only read. Its two folders are listed by just these prefixes.
func raw(n Needs) []Statement {
	if n.Raw == (Place{}) {
		return nil
	}
	folders := []string{"metadata/*", "streams/*"}
	read := Statement{Sid: "ReadRaw", Action: []string{"s3:GetObject"}}
	var prefixes []string
	for _, f := range folders {
		read.Resource = append(read.Resource, n.ObjectARN(n.Raw, f))
		prefixes = append(prefixes, n.Raw.Prefix+f)
	}
	return []Statement{
		{Sid: "ListRaw", Action: []string{"s3:ListBucket"}, Resource: []string{n.BucketARN(n.Raw)},
			Condition: listing(prefixes)},
		read,
	}
}

// listing confines a list to prefixes. S3 says that an object is missing to those only who may list the bucket, and that
// request has no prefix: under a plain StringLike it would be refused instead, and mss could not tell.
func listing(prefixes []string) Condition {
	return Condition{"StringLikeIfExists": {"s3:prefix": prefixes}}
}

// written are the statements of a place that mss writes.
func written(n Needs, name string, p Place) []Statement {
	if p == (Place{}) {
		return nil
	}
	list := Statement{Sid: "List" + name, Action: []string{"s3:ListBucket"}, Resource: []string{n.BucketARN(p)}}
	if p.Prefix != "" {
		list.Condition = listing([]string{p.Prefix + "*"})
	}
	return []Statement{
		list,
		{Sid: "ListUploads" + name, Action: []string{"s3:ListBucketMultipartUploads"}, Resource: []string{n.BucketARN(p)}},
		{Sid: "Write" + name, Action: []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"},
			Resource: []string{n.ObjectARN(p, "*")}},
	}
}

// key lets S3, and no one else, use the key for whoever has this policy.
func key(n Needs, actions ...string) Statement {
	s := Statement{Sid: "UseKey", Action: actions, Resource: []string{n.KeyARN()},
		Condition: Condition{"StringEquals": {"kms:ViaService": {n.s3Service()}}}}
	if alias := aliasOf(n.KMSKey); alias != "" {
		s.Condition["ForAnyValue:StringEquals"] = map[string][]string{"kms:ResourceAliases": {alias}}
	}
	return s
}

// tables are the catalog's. The table of the probe is the only one that may be deleted.
func tables(n Needs) []Statement {
	database := []string{n.arn("glue", "catalog"), n.DatabaseARN()}
	work := Statement{Sid: "CatalogTables", Resource: database, Action: []string{
		"glue:BatchCreatePartition", "glue:CreateTable", "glue:GetPartitions", "glue:GetTable", "glue:UpdatePartition", "glue:UpdateTable"}}
	for _, name := range append(append([]string{}, catalog.Names...), catalog.ProbeTable) {
		work.Resource = append(work.Resource, n.TableARN(name))
	}
	return []Statement{work, {Sid: "CatalogProbe", Action: []string{"glue:DeleteTable"},
		Resource: append(append([]string{}, database...), n.TableARN(catalog.ProbeTable))}}
}

// DatabaseARN names the catalog's database.
func (n Needs) DatabaseARN() string { return n.arn("glue", "database/"+catalog.Database) }

// TableARN names a table of the catalog.
func (n Needs) TableARN(name string) string { return n.arn("glue", "table/"+catalog.Database+"/"+name) }

func login(n Needs) []Statement {
	switch l := n.Login; {
	case l.Workgroup != "":
		return []Statement{{Sid: "LoginServerless", Action: []string{"redshift-serverless:GetCredentials", "redshift-serverless:GetWorkgroup"},
			Resource: []string{n.WorkgroupARN()}}}
	case l.Cluster != "":
		find := Statement{Sid: "FindCluster", Action: []string{"redshift:DescribeClusters"}, Resource: []string{n.ClusterARN()}}
		action, resources := n.ClusterLogin()
		return []Statement{find, {Sid: "LoginCluster", Action: []string{action}, Resource: resources}}
	}
	return nil
}

// WorkgroupARN names the workgroup of an IAM login.
func (n Needs) WorkgroupARN() string {
	if n.Login.WorkgroupARN != "" {
		return n.Login.WorkgroupARN
	}
	return n.arn("redshift-serverless", "workgroup/*")
}

// ClusterARN names the cluster of an IAM login.
func (n Needs) ClusterARN() string { return n.arn("redshift", "cluster:"+n.Login.Cluster) }

// ClusterLogin is the action by which a provisioned cluster gives credentials, and what it is on.
func (n Needs) ClusterLogin() (action string, resources []string) {
	l := n.Login
	database := n.arn("redshift", "dbname:"+l.Cluster+"/"+l.Database)
	if l.User == "" {
		return "redshift:GetClusterCredentialsWithIAM", []string{database}
	}
	return "redshift:GetClusterCredentials", []string{database, n.arn("redshift", "dbuser:"+l.Cluster+"/"+l.User)}
}

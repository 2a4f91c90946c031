package policy

import "strings"

// loadFolder is where a load that copies puts its objects, below the temp place.
const loadFolder = "redshift-tmp/"

// Copy is the policy of the role with which Redshift itself reads what a load has put into the temp place.
func Copy(n Needs) Document {
	if n.Temp == (Place{}) {
		return document(nil)
	}
	all := []Statement{
		{Sid: "ListTemp", Action: []string{"s3:ListBucket"}, Resource: []string{n.BucketARN(n.Temp)},
			Condition: Condition{"StringLike": {"s3:prefix": {n.Temp.Prefix + loadFolder + "*"}}}},
		{Sid: "ReadTemp", Action: []string{"s3:GetObject"}, Resource: []string{n.ObjectARN(n.Temp, loadFolder+"*")}},
	}
	if n.usesKey() {
		all = append(all, key(n, "kms:Decrypt"))
	}
	return document(all)
}

// aliasOf is the alias/… of a key that is named by one, else "".
func aliasOf(key string) string {
	if i := strings.Index(key, "alias/"); i >= 0 {
		return key[i:]
	}
	return ""
}

package policy

import (
	"fmt"
	"strings"
)

// Needs are what a configuration uses of AWS.
type Needs struct {
	Partition       string // aws, aws-cn or aws-us-gov
	Region, Account string

	Raw, Curated, Analytics, Temp Place
	KMSKey                        string // as the setting: "" and AES256 need nothing
	Catalog                       bool
	Secret                        string // id or ARN of the warehouse's secret
	Login                         Login
}

// Place is a place on S3; the zero value is one that is elsewhere.
type Place struct {
	Bucket string
	Prefix string // "" or "some/prefix/"
}

// ParsePlace reads s3://bucket[/prefix]; any other place is the zero Place.
func ParsePlace(url string) Place {
	if len(url) < 5 || !strings.EqualFold(url[:5], "s3://") {
		return Place{}
	}
	bucket, prefix, _ := strings.Cut(url[5:], "/")
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return Place{bucket, prefix}
}

// None says whether nothing of AWS is needed: the policy would have no statement.
func (n Needs) None() bool { return len(Box(n).Statement) == 0 }

// Incomplete names what must be known of the account before the policy can name its resources; "" when all is.
func (n Needs) Incomplete() string {
	var missing []string
	for _, s := range Box(n).Statement {
		for _, r := range s.Resource {
			part := strings.SplitN(r, ":", 6)
			if len(part) < 6 || part[2] == "s3" {
				continue
			}
			if part[3] == "" {
				missing = append(missing, "the region (AWS_REGION)")
			}
			if part[4] == "" {
				missing = append(missing, "the account (--account)")
			}
			if len(missing) > 0 {
				return strings.Join(missing, " and ")
			}
		}
	}
	if n.usesKey() && n.Region == "" {
		return "the region (AWS_REGION)"
	}
	return ""
}

func (n Needs) partition() string {
	if n.Partition == "" {
		return "aws"
	}
	return n.Partition
}

// arn names a resource of this account and region.
func (n Needs) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", n.partition(), service, n.Region, n.Account, resource)
}

// BucketARN names the bucket of a place.
func (n Needs) BucketARN(p Place) string { return "arn:" + n.partition() + ":s3:::" + p.Bucket }

// ObjectARN names objects of a place, by their key in it or a pattern of keys.
func (n Needs) ObjectARN(p Place, key string) string {
	return n.BucketARN(p) + "/" + p.Prefix + key
}

// KeyARN names the KMS key; an alias, which is no resource of this action, stands for all keys, under a condition.
func (n Needs) KeyARN() string {
	id := n.KMSKey
	if strings.Contains(id, "alias/") {
		return n.arn("kms", "key/*")
	}
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	return n.arn("kms", "key/"+strings.TrimPrefix(id, "key/"))
}

// SecretARN names the secret. Secrets Manager adds six characters to a name.
func (n Needs) SecretARN() string {
	if strings.HasPrefix(n.Secret, "arn:") {
		return n.Secret
	}
	return n.arn("secretsmanager", "secret:"+n.Secret+"-??????")
}

func (n Needs) usesKey() bool {
	return n.KMSKey != "" && n.KMSKey != "AES256" && n.KMSKey != "aws:kms" && n.usesS3()
}

func (n Needs) usesS3() bool {
	none := Place{}
	return n.Raw != none || n.Curated != none || n.Analytics != none || n.Temp != none
}

// s3Service is S3 as KMS sees who asks for a key.
func (n Needs) s3Service() string {
	suffix := "amazonaws.com"
	if n.partition() == "aws-cn" {
		suffix = "amazonaws.com.cn"
	}
	return "s3." + n.Region + "." + suffix
}

package s3blob

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The choices of Options.KMSKey that name no key.
const (
	SSES3  = "AES256"  // S3's own keys
	SSEKMS = "aws:kms" // KMS, with the account's key for S3 or the one that the bucket names
)

// encryption is what every request says that makes an object: PUT and the beginning of a multipart upload. Parts
// and their completion take it from the upload.
type encryption struct {
	algorithm types.ServerSideEncryption // "" leaves it to the bucket
	key       *string
	bucketKey *bool // one data key for many objects, instead of a request to KMS for each
}

func encryptionOf(kmsKey string) encryption {
	switch kmsKey {
	case "":
		return encryption{}
	case SSES3:
		return encryption{algorithm: types.ServerSideEncryptionAes256}
	case SSEKMS:
		return encryption{algorithm: types.ServerSideEncryptionAwsKms, bucketKey: aws.Bool(true)}
	}
	return encryption{types.ServerSideEncryptionAwsKms, &kmsKey, aws.Bool(true)}
}

func (e encryption) put(in *s3.PutObjectInput) {
	in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = e.algorithm, e.key, e.bucketKey
}

func (e encryption) create(in *s3.CreateMultipartUploadInput) {
	in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = e.algorithm, e.key, e.bucketKey
}

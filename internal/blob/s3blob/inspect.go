package s3blob

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Inspect is a HEAD request for what a blob.Object does not tell: how the object is encrypted (SSES3, SSEKMS, or ""
// when the server does not say), with which KMS key, and what time it is by the server's clock (zero when it does
// not say).
func (b *Bucket) Inspect(ctx context.Context, key string) (algorithm, kmsKey string, now time.Time, err error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.bucket, Key: b.key(key)})
	if err != nil {
		return "", "", time.Time{}, b.fail(ctx, "stat", key, err)
	}
	return string(out.ServerSideEncryption), aws.ToString(out.SSEKMSKeyId), serverTime(out.ResultMetadata), nil
}

package s3blob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"mss/internal/blob"
)

// List reads all pages. Keys that end in a slash are left out: consoles make such empty objects to show
// a folder. A missing bucket is an error, since no write of mss would make it.
func (b *Bucket) List(ctx context.Context, prefix string) ([]blob.Object, error) {
	var found []blob.Object
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.bucket, Prefix: b.key(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, b.fail(ctx, "list", prefix, err)
		}
		for _, o := range page.Contents {
			key := strings.TrimPrefix(aws.ToString(o.Key), b.prefix)
			if key == "" || strings.HasSuffix(key, "/") {
				continue
			}
			found = append(found, blob.Object{
				Key: key, Size: aws.ToInt64(o.Size), ETag: unquote(o.ETag), ModTime: aws.ToTime(o.LastModified),
			})
		}
	}
	byKey := func(x, y blob.Object) int { return strings.Compare(x.Key, y.Key) }
	if !slices.IsSortedFunc(found, byKey) { // directory buckets are not
		slices.SortFunc(found, byKey)
	}
	return found, nil
}

// Unfinished lists the multipart uploads below the place; S3 knows their keys.
func (b *Bucket) Unfinished(ctx context.Context) ([]blob.Unfinished, error) {
	var all []blob.Unfinished
	pages := s3.NewListMultipartUploadsPaginator(b.client, &s3.ListMultipartUploadsInput{Bucket: &b.bucket, Prefix: b.key("")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, b.fail(ctx, "list uploads of", "", err)
		}
		for _, u := range page.Uploads {
			all = append(all, blob.Unfinished{Key: strings.TrimPrefix(aws.ToString(u.Key), b.prefix), ID: aws.ToString(u.UploadId)})
		}
	}
	return all, nil
}

// Discard aborts a multipart upload.
func (b *Bucket) Discard(ctx context.Context, u blob.Unfinished) error {
	// Parts of a process that was just killed may still arrive.
	s := &staged{b: b, key: u.Key, upload: &u.ID, cut: true}
	if err := s.remove(ctx); err != nil {
		return b.fail(ctx, "abort", u.Key, err)
	}
	return nil
}

// DeleteVersion is a DELETE with If-Match.
func (b *Bucket) DeleteVersion(ctx context.Context, obj blob.Object) error {
	send, cancel := grace(ctx)
	defer cancel()
	_, err := b.client.DeleteObject(send, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: b.key(obj.Key), IfMatch: quote(obj.ETag)})
	if err == nil {
		return nil
	}
	if err = b.fail(send, "delete", obj.Key, err); errors.Is(err, blob.ErrNotExist) {
		return nil
	}
	return err
}

func (b *Bucket) deleteBatch(ctx context.Context, keys []string) error {
	ids := make([]types.ObjectIdentifier, len(keys))
	for i, key := range keys {
		ids[i].Key = b.key(key)
	}
	out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &b.bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return b.fail(ctx, "delete", keys[0], err)
	}
	var errs []error
	for _, e := range out.Errors {
		code := aws.ToString(e.Code)
		if code == "NoSuchKey" {
			continue
		}
		err := fmt.Errorf("delete s3://%s/%s: %s: %s", b.bucket, aws.ToString(e.Key), code, aws.ToString(e.Message))
		if hint := remedy(code, "delete"); hint != "" {
			err = fmt.Errorf("%w; %s", err, hint)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Package s3blob keeps a place of the lake in S3, or on a server that speaks S3.
//
// Staged objects are multipart uploads, invisible until they are completed. Reads name the ETag that was
// listed, so that bytes of two versions never mix. Conditional writes are for small documents.
package s3blob

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"mss/internal/awsconfig"
	"mss/internal/blob"
)

const (
	mib             = 1 << 20
	minPart         = 5 * mib // S3 refuses smaller ones, save the last
	defaultPart     = minPart
	defaultParallel = 3
	defaultUploads  = 4
	defaultAttempts = 5 // per request, where neither AWS_MAX_ATTEMPTS nor the profile says
)

// Bucket is an S3 bucket, or the keys of one below a prefix.
type Bucket struct {
	bucket   string
	prefix   string // "" or "some/prefix/"
	client   *s3.Client
	creds    aws.CredentialsProvider
	endpoint string // for messages; "" is AWS
	region   string
	sse      encryption
	part     int64
	parallel int
	uploads  chan struct{} // one for each part on its way to the server, whichever object's
	buffers  sync.Pool     // *[]byte of part bytes
}

var _ blob.Bucket = (*Bucket)(nil)

// bucketName is wider than the rules of today, for S3 allowed more in the past: only what no name ever held is refused.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]+$`)

// Open makes a place of s3://bucket[/prefix]. It reads the AWS configuration, and on an instance without a
// configured region asks the instance; it makes no request to S3. The error wraps blob.ErrURL when url is wrong.
func Open(ctx context.Context, url string, opt Options) (*Bucket, error) {
	name, prefix, err := parse(url)
	if err != nil {
		return nil, err
	}
	cfg, err := awsconfig.Load(ctx, awsconfig.Options{Profile: opt.Profile, Region: opt.Region, Endpoint: opt.Endpoint != ""})
	if err != nil {
		return nil, fmt.Errorf("open %s: read the AWS configuration: %w", url, err)
	}
	b := &Bucket{bucket: name, prefix: prefix, creds: cfg.Credentials, part: opt.PartSize, parallel: opt.Concurrency, sse: encryptionOf(opt.KMSKey)}
	if b.part == 0 {
		b.part = defaultPart
	}
	b.part = max(b.part, minPart)
	if b.parallel <= 0 {
		b.parallel = defaultParallel
	}
	uploads := opt.Uploads
	if uploads <= 0 {
		uploads = defaultUploads
	}
	b.uploads = make(chan struct{}, uploads)
	b.client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		if opt.Endpoint != "" {
			o.BaseEndpoint = aws.String(opt.Endpoint)
		}
		if o.BaseEndpoint != nil { // by option, environment or profile
			b.endpoint = *o.BaseEndpoint
			o.UsePathStyle = true
		}
		o.UsePathStyle = o.UsePathStyle || opt.PathStyle
		if o.Region == "" && b.endpoint != "" {
			o.Region = "us-east-1" // other servers know no regions, but signatures hold one
		}
		if o.RetryMaxAttempts == 0 {
			o.RetryMaxAttempts = defaultAttempts
		}
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, clashes...)
		// The SDK would print a line for each multipart object, whose checksum it cannot verify.
		o.DisableLogOutputChecksumValidationSkipped = true
		b.region = o.Region
	})
	if b.region == "" {
		return nil, fmt.Errorf("open %s: no AWS region is configured: set AWS_REGION, or region in the profile: %w", url, blob.ErrURL)
	}
	b.buffers.New = func() any {
		buf := make([]byte, b.part)
		return &buf
	}
	return b, nil
}

func parse(url string) (bucket, prefix string, err error) {
	const scheme = "s3://"
	if len(url) < len(scheme) || !strings.EqualFold(url[:len(scheme)], scheme) {
		return "", "", fmt.Errorf("open %q: not s3://bucket[/prefix]: %w", url, blob.ErrURL)
	}
	bucket, prefix, _ = strings.Cut(url[len(scheme):], "/")
	if strings.Contains(bucket, "@") {
		// Whatever stands before the @ may be a secret, so it is not repeated.
		return "", "", fmt.Errorf("open s3://…: credentials do not belong in the place; use AWS_PROFILE or the environment: %w", blob.ErrURL)
	}
	if !bucketName.MatchString(bucket) {
		return "", "", fmt.Errorf("open %s: %q is no bucket name: %w", url, bucket, blob.ErrURL)
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		if err := blob.CheckKey(prefix); err != nil {
			return "", "", fmt.Errorf("open %s: %w: %w", url, err, blob.ErrURL)
		}
		prefix += "/"
	}
	return bucket, prefix, nil
}

// String is s3://bucket/prefix.
func (b *Bucket) String() string {
	return strings.TrimSuffix("s3://"+b.bucket+"/"+b.prefix, "/")
}

// Location is the same for all ways to write the place.
func (b *Bucket) Location() string { return b.String() }

func (b *Bucket) key(key string) *string { return aws.String(b.prefix + key) }

// Stat is a HEAD request.
func (b *Bucket) Stat(ctx context.Context, key string) (blob.Object, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.bucket, Key: b.key(key)})
	if err != nil {
		return blob.Object{}, b.fail(ctx, "stat", key, err)
	}
	return blob.Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), ETag: unquote(out.ETag), ModTime: aws.ToTime(out.LastModified),
		Seen: serverTime(out.ResultMetadata),
	}, nil
}

// Delete removes objects, 1,000 with one request. The error joins those of all keys that are still there.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	var errs []error
	for len(keys) > 0 {
		batch := keys[:min(len(keys), 1000)]
		keys = keys[len(batch):]
		if err := b.deleteBatch(ctx, batch); err != nil {
			errs = append(errs, err)
			if ctx.Err() != nil {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// serverTime is what the server's Date header says; S3's clock is the one that LastModified is taken from.
func serverTime(m middleware.Metadata) time.Time {
	t, _ := awsmiddleware.GetServerTime(m)
	return t
}

func unquote(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

func quote(etag string) *string { return aws.String(`"` + etag + `"`) }

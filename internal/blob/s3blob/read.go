package s3blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"mss/internal/blob"
)

const (
	bodyTries = 5                // per range, when the connection breaks in the middle
	bodyIdle  = 60 * time.Second // without a byte, after which a connection is given up
)

// ReadAll reads a small object with one request.
func (b *Bucket) ReadAll(ctx context.Context, key string) ([]byte, blob.Object, error) {
	for try := 1; ; try++ {
		out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: b.key(key)})
		if err != nil {
			return nil, blob.Object{}, b.fail(ctx, "read", key, err)
		}
		data, err := io.ReadAll(out.Body)
		out.Body.Close()
		if err == nil {
			return data, blob.Object{
				Key: key, Size: int64(len(data)), ETag: unquote(out.ETag), ModTime: aws.ToTime(out.LastModified),
				Seen: serverTime(out.ResultMetadata),
			}, nil
		}
		if try == bodyTries || pause(ctx, try) != nil {
			return nil, blob.Object{}, b.fail(ctx, "read", key, &brokenBody{err})
		}
	}
}

// Open makes no request when obj has an ETag.
func (b *Bucket) Open(ctx context.Context, obj blob.Object) (blob.Reader, error) {
	if obj.ETag == "" {
		var err error
		if obj, err = b.Stat(ctx, obj.Key); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, b.fail(ctx, "read", obj.Key, err)
	}
	return &reader{ctx: ctx, b: b, obj: obj}, nil
}

type reader struct {
	ctx context.Context
	b   *Bucket
	obj blob.Object
}

// ReadAt is one ranged GET, and more only when a connection breaks.
func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, r.b.fail(r.ctx, "read", r.obj.Key, fmt.Errorf("negative offset %d", off))
	}
	rest := max(0, r.obj.Size-off)
	if int64(len(p)) <= rest {
		return r.fill(r.ctx, p, off)
	}
	n, err := r.fill(r.ctx, p[:rest], off)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

// Close has nothing to release: requests end with their reads.
func (r *reader) Close() error { return nil }

// fill reads len(p) bytes at off, which the object has. A body that breaks is taken up where it stopped.
func (r *reader) fill(ctx context.Context, p []byte, off int64) (n int, err error) {
	for try := 1; n < len(p); try++ {
		m, err := r.get(ctx, p[n:], off+int64(n))
		n += m
		if n == len(p) {
			break
		}
		var broken *brokenBody
		if !errors.As(err, &broken) || try == bodyTries || pause(ctx, try) != nil {
			return n, r.b.fail(ctx, "read", r.obj.Key, err)
		}
	}
	return n, nil
}

// brokenBody is worth another request; other errors the SDK has tried already.
type brokenBody struct{ err error }

func (e *brokenBody) Error() string {
	return "connection broke in the middle of the object: " + e.err.Error()
}
func (e *brokenBody) Unwrap() error { return e.err }

func (r *reader) get(ctx context.Context, p []byte, off int64) (n int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := r.b.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &r.b.bucket, Key: r.b.key(r.obj.Key),
		Range:   aws.String(fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1)),
		IfMatch: quote(r.obj.ETag),
	}, func(o *s3.Options) {
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired // there is none for a range
	})
	if err != nil {
		return 0, err
	}
	defer out.Body.Close()
	if etag := unquote(out.ETag); etag != r.obj.ETag {
		return 0, fmt.Errorf("%w (listed as %s, now %s)", blob.ErrChanged, r.obj.ETag, etag)
	}
	// A server that does not know ranges sends the object from its beginning.
	if at := aws.ToString(out.ContentRange); !strings.HasPrefix(at, fmt.Sprintf("bytes %d-", off)) && (off > 0 || at != "") {
		return 0, fmt.Errorf("asked for the bytes from %d, got range %q", off, at)
	}
	idle := time.AfterFunc(bodyIdle, cancel)
	defer idle.Stop()
	for n < len(p) {
		m, err := out.Body.Read(p[n:])
		n += m
		if err != nil && n < len(p) {
			return n, &brokenBody{err}
		}
		idle.Reset(bodyIdle)
	}
	return n, nil
}

// pause waits 50 ms, 100 ms, 200 ms …, give or take a half, so that workers do not return in step.
func pause(ctx context.Context, try int) error {
	wait := 50 * time.Millisecond << (try - 1)
	select {
	case <-time.After(wait/2 + rand.N(wait)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

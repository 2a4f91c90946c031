package s3blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"mss/internal/blob"
)

// Write is one PUT. The outcome of a conditional one is found out when the connection breaks: the object that
// is there is compared with data, byte for byte. So writers that contend for a key write something of their
// own into it, and small documents only, since servers tend to hang up on large ones instead of answering.
func (b *Bucket) Write(ctx context.Context, key string, data []byte, cond blob.Cond) (blob.Object, error) {
	if err := checkKey(key); err != nil {
		return blob.Object{}, fmt.Errorf("write to %s: %w", b, err)
	}
	if err := ctx.Err(); err != nil {
		return blob.Object{}, b.fail(ctx, "write", key, err)
	}
	if cond == (blob.Cond{}) {
		return b.put(ctx, key, data, cond)
	}
	unclear := false // an earlier try may have been carried out
	for try := 1; ; try++ {
		obj, err := b.put(ctx, key, data, cond, once)
		if err == nil {
			return obj, nil
		}
		lost := errors.Is(err, blob.ErrPrecondition)
		r := replyOf(err)
		if !lost && !r.unclear() && !r.clashed() || lost && !unclear {
			return obj, err
		}
		unclear = unclear || !r.clashed()
		switch ours, holds, lerr := b.look(ctx, key, data, cond); {
		case lerr != nil:
			return obj, err // the same trouble most likely, said once
		case ours != nil:
			return *ours, nil
		case !holds:
			return obj, &failure{err.Error() + "; another wrote it meanwhile", []error{blob.ErrPrecondition, err}, ""}
		}
		if try == bodyTries || pause(ctx, try) != nil {
			return obj, err
		}
	}
}

// once leaves it to Write to try again: the SDK would take its own first try for another writer.
func once(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

func (b *Bucket) put(ctx context.Context, key string, data []byte, cond blob.Cond, opts ...func(*s3.Options)) (blob.Object, error) {
	in := &s3.PutObjectInput{Bucket: &b.bucket, Key: b.key(key), Body: bytes.NewReader(data)}
	b.sse.put(in)
	if cond.IfMatch != "" {
		in.IfMatch = quote(cond.IfMatch)
	}
	if cond.IfNone {
		in.IfNoneMatch = aws.String("*")
	}
	send, cancel := grace(ctx)
	defer cancel()
	out, err := b.client.PutObject(send, in, opts...)
	if err != nil {
		if conditionLost(replyOf(err), cond) {
			err = errors.Join(blob.ErrPrecondition, err)
			return blob.Object{}, &failure{fmt.Sprintf("write s3://%s/%s%s: %v", b.bucket, b.prefix, key, blob.ErrPrecondition), []error{err}, ""}
		}
		return blob.Object{}, b.fail(send, "write", key, err)
	}
	return blob.Object{Key: key, Size: int64(len(data)), ETag: unquote(out.ETag)}, nil
}

// conditionLost says whether a reply means that the condition does not hold.
func conditionLost(r reply, cond blob.Cond) bool {
	if cond == (blob.Cond{}) || r.clashed() {
		return false
	}
	nothing := cond.IfMatch != "" && r.status == http.StatusNotFound && r.code != "NoSuchBucket" && r.code != "NoSuchUpload"
	return r.status == http.StatusPreconditionFailed || r.code == "PreconditionFailed" ||
		r.status == http.StatusConflict || // two conditional writes at once
		nothing // to match
}

// look finds out whether the object is what we wrote, and if not, whether cond still holds.
func (b *Bucket) look(ctx context.Context, key string, data []byte, cond blob.Cond) (ours *blob.Object, holds bool, err error) {
	there, obj, err := b.ReadAll(ctx, key)
	switch {
	case errors.Is(err, blob.ErrNotExist):
		return nil, cond.IfMatch == "", nil
	case err != nil:
		return nil, false, err
	case bytes.Equal(there, data):
		return &obj, true, nil
	}
	return nil, !cond.IfNone && obj.ETag == cond.IfMatch, nil
}

// grace is a context for requests that change something: when ctx ends, such a request has some seconds more
// to come back, since cutting it off leaves its outcome unknown.
func grace(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(5*time.Second, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

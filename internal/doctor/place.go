package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"mss/internal/blob"
	"mss/internal/policy"
)

// probeFolder is where the doctor's objects are, below a place that mss writes. No dataset lies there.
const probeFolder = "_mss/doctor/"

// inspector is a place that tells how an object is encrypted, and the time.
type inspector interface {
	Inspect(ctx context.Context, key string) (algorithm, kmsKey string, now time.Time, err error)
}

func (e *examination) places(ctx context.Context) {
	for _, p := range e.Places {
		if p.Role != "raw" { // whose check is the input's
			e.written(ctx, p)
		}
	}
}

// arn names the bucket or, with a key, the objects of a place; "" where IAM has no say.
func (e *examination) arn(p Place, key string) string {
	switch {
	case p.On == (policy.Place{}):
		return ""
	case key == "":
		return e.Needs.BucketARN(p.On)
	}
	return e.Needs.ObjectARN(p.On, key)
}

// written checks a place that mss writes: everything that is done with an object is done with the probe.
func (e *examination) written(ctx context.Context, p Place) {
	key := probeFolder + strings.ToLower(rand.Text())
	_, err := p.Bucket.List(ctx, probeFolder)
	e.tried(p.Role, "list", "s3:ListBucket", e.arn(p, ""), err, p.Bucket.String())
	if code(err) == "NoSuchBucket" {
		e.last().Missing = []string{"bucket " + p.On.Bucket}
		e.skip(p.Role, "write, read, delete", "there is no such bucket")
		return
	}
	written := e.write(ctx, p, key)
	if !written {
		e.skip(p.Role, "read", "there is no object of the doctor's own to read")
	} else {
		data, _, err := p.Bucket.ReadAll(ctx, key)
		if err == nil && !bytes.Equal(data, probe(key)) {
			err = fmt.Errorf("read %s in %s: the bytes are not those that were written; is there a cache in between?", key, p.Bucket)
		}
		if e.tried(p.Role, "read", "s3:GetObject", e.arn(p, key), err, "the bytes that were written") {
			e.inspect(ctx, p, key) // by a request whose refusal would not say why
		}
	}
	e.multipart(ctx, p, key+".upload")
	if p.Uploads != nil {
		e.tried(p.Role, "list uploads", "s3:ListBucketMultipartUploads", e.arn(p, ""), p.Uploads(ctx), "for what a killed run leaves")
	}
	err = p.Bucket.Delete(context.WithoutCancel(ctx), key)
	if !e.tried(p.Role, "delete", "s3:DeleteObject", e.arn(p, key), err, "the probe is gone") && written {
		e.last().Remedy += "; then delete " + key + " in " + p.Bucket.String() + ", which the doctor could not"
	}
}

func probe(key string) []byte {
	return []byte("mss doctor: an object that may be deleted, " + key + "\n")
}

// write writes the probe, on the condition that there is none, and expects the second such write to be refused.
func (e *examination) write(ctx context.Context, p Place, key string) bool {
	_, err := p.Bucket.Write(ctx, key, probe(key), blob.Cond{IfNone: true})
	if !e.tried(p.Role, "write", "s3:PutObject", e.arn(p, key), err, key) {
		return false
	}
	_, err = p.Bucket.Write(ctx, key, []byte("another"), blob.Cond{IfNone: true})
	switch {
	case errors.Is(err, blob.ErrPrecondition):
		e.ok(p.Role, "conditional write", "the second of two writers is told so")
	case err == nil:
		e.add(Finding{Area: p.Role, Check: "conditional write", Status: Failed, Missing: []string{"If-None-Match"},
			Detail: "the store lets a second writer replace what the first one has just written",
			Remedy: "use a store that honours conditional writes, as S3 does: two runs at once would overwrite each other here"})
		return false
	default:
		e.tried(p.Role, "conditional write", "s3:PutObject", e.arn(p, key), err, "")
	}
	return true
}

// inspect looks at how the probe is encrypted, and at the clock.
func (e *examination) inspect(ctx context.Context, p Place, key string) {
	in, ok := p.Bucket.(inspector)
	if !ok {
		return
	}
	asked := e.Now()
	algorithm, kmsKey, now, err := in.Inspect(ctx, key)
	if err != nil {
		e.tried(p.Role, "encryption", "s3:GetObject", e.arn(p, key), err, "")
		return
	}
	want := e.Needs.KMSKey
	if want != "" && want != "AES256" {
		want = "aws:kms"
	}
	switch {
	case want != "" && algorithm != want:
		e.add(Finding{Area: p.Role, Check: "encryption", Status: Failed, Missing: []string{"encryption with " + e.Needs.KMSKey},
			Detail: "the store was asked for " + want + ", and says of the object: " + orNothing(algorithm),
			Remedy: "use a store that encrypts, or leave --kms-key empty"})
	case kmsKey != "":
		e.ok(p.Role, "encryption", "%s, %s", algorithm, kmsKey)
	case algorithm != "":
		e.ok(p.Role, "encryption", "%s", algorithm)
	case p.On != policy.Place{}:
		e.add(Finding{Area: p.Role, Check: "encryption", Status: Note, Detail: "the store does not say how it encrypts"})
	}
	e.clock(p.Role, asked, now)
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// multipart begins an object in parts, and aborts it.
func (e *examination) multipart(ctx context.Context, p Place, key string) {
	staged, err := p.Bucket.Stage(ctx, key)
	if err == nil {
		if _, err = staged.Write(probe(key)); err == nil {
			err = staged.Close()
		}
	}
	begun := e.tried(p.Role, "upload in parts", "s3:PutObject", e.arn(p, key), err, "stored, and not visible")
	if staged == nil {
		return
	}
	err = staged.Abort(ctx)
	if !begun && err == nil { // then there was nothing to abort
		e.skip(p.Role, "abort an upload", "none could be begun")
		return
	}
	if !e.tried(p.Role, "abort an upload", "s3:AbortMultipartUpload", e.arn(p, key), err, "nothing is left of it") {
		e.last().Remedy += "; a lifecycle rule for incomplete uploads removes the one that the doctor could not"
	}
}

package s3blob_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
)

// Every request that makes an object says how it is to be encrypted, and no other does: S3 refuses the headers there.
func TestRequestsSayHowToEncrypt(t *testing.T) {
	const arn = "arn:aws:kms:eu-west-1:123456789012:key/0d7a6a2c-1f4f-4a7a-9a55-1f0c5b1a2b3c"
	for setting, want := range map[string]map[string]string{
		"":            {},
		s3blob.SSES3:  {"X-Amz-Server-Side-Encryption": "AES256"},
		s3blob.SSEKMS: {"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true"},
		arn: {"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": arn,
			"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true"},
		"alias/mss": {"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "alias/mss",
			"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true"},
	} {
		t.Run(setting, func(t *testing.T) {
			srv := s3test.New(t)
			srv.Setenv(t)
			p := newProxy(t, srv, httptest.NewServer)
			b := open(t, srv.URL+"/p", s3blob.Options{Endpoint: p.URL, KMSKey: setting})
			everything(t, b)
			made := 0
			for _, r := range p.seen {
				makes := r.Method == http.MethodPut && act(r) != "part" || act(r) == "POST uploads"
				if makes {
					made++
				}
				got := map[string]string{}
				for name := range r.Header {
					if strings.HasPrefix(name, "X-Amz-Server-Side-Encryption") {
						got[name] = r.Header.Get(name)
					}
				}
				if !makes && len(got) > 0 {
					t.Errorf("%s %s carries %v", r.Method, r.URL, got)
				}
				if makes && !equalHeaders(got, want) {
					t.Errorf("%s %s carries %v, want %v", r.Method, r.URL, got, want)
				}
			}
			if made != 4 {
				t.Errorf("%d requests that make an object, want 3 PUTs and 1 multipart upload", made)
			}
		})
	}
}

// everything does each thing that a bucket can do.
func everything(t *testing.T, b *s3blob.Bucket) {
	t.Helper()
	obj, err := b.Write(ctx, "doc", []byte("one"), blob.Cond{})
	must(t, err)
	obj, err = b.Write(ctx, "doc", []byte("two"), blob.Cond{IfMatch: obj.ETag})
	must(t, err)
	_, err = b.Write(ctx, "other", []byte("x"), blob.Cond{IfNone: true})
	must(t, err)
	_, err = stage(t, b, "big", noise(9<<20)).Publish(ctx, blob.Cond{})
	must(t, err)
	r, err := b.Open(ctx, obj)
	must(t, err)
	data, err := io.ReadAll(io.NewSectionReader(r, 0, obj.Size))
	if must(t, err); string(data) != "two" {
		t.Errorf("read %q", data)
	}
	must(t, r.Close())
	_, err = b.List(ctx, "")
	must(t, err)
	_, err = b.Stat(ctx, "doc")
	must(t, err)
	must(t, b.Delete(ctx, "doc", "other", "big"))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equalHeaders(a, b map[string]string) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

// Under KMS an object's ETag is no MD5 of anything. A publication whose answer is lost is recognised all the same, by
// its checksum; and one that was not carried out is not taken for carried out.
func TestLostAnswerUnderKMS(t *testing.T) {
	srv := s3test.New(t)
	srv.Setenv(t)
	p := newProxy(t, srv, httptest.NewServer)
	p.to.ModifyResponse = opaqueETags
	b := open(t, srv.URL+"/p", s3blob.Options{Endpoint: p.URL, KMSKey: "alias/mss"})
	data := noise(17 << 20)
	s := stage(t, b, "x.parquet", data)
	p.breaks(func(act string, n int) fault {
		switch {
		case act != "complete":
			return pass
		case n == 1:
			return after
		}
		return error500 // this server would say of an upload that is gone that it was completed; others do not
	})
	obj, err := s.Publish(ctx, blob.Cond{})
	if err != nil {
		t.Fatalf("the object is there, but Publish says: %v", err)
	}
	there, err := b.Stat(ctx, "x.parquet")
	if err != nil || there.ETag != obj.ETag || there.Size != int64(len(data)) || strings.Contains(there.ETag, "-") {
		t.Errorf("published %+v, there is %+v, %v", obj, there, err)
	}
	other := slices.Clone(data)
	other[5]++
	s = stage(t, b, "x.parquet", other) // as long, and other bytes
	p.breaks(func(act string, _ int) fault {
		if act == "complete" {
			return before
		}
		return pass
	})
	if obj, err := s.Publish(ctx, blob.Cond{}); err == nil {
		t.Errorf("another object was taken for ours: %+v", obj)
	}
	p.breaks(nil)
	must(t, s.Abort(ctx))
}

var multipartETag = regexp.MustCompile(`[0-9a-f]{32}-\d+`)

// opaqueETags makes the ETags of multipart objects what they are under KMS: as good as random.
func opaqueETags(r *http.Response) error {
	opaque := func(etag []byte) []byte {
		for i, c := range etag[:32] {
			etag[i] = "fedcba9876543210"[strings.IndexByte("0123456789abcdef", c)]
		}
		return etag[:32]
	}
	if etag := r.Header.Get("ETag"); etag != "" {
		r.Header.Set("ETag", string(multipartETag.ReplaceAllFunc([]byte(etag), opaque)))
	}
	if r.Request.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body.Close()
		body = multipartETag.ReplaceAllFunc(body, opaque)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Del("Content-Length")
	}
	return nil
}

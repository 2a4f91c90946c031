package s3blob_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
)

func wantText(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error of several lines: %q", err)
	}
}

// Every common mistake of a first run is named together with its remedy, and no secret is.
func TestErrorsNameTheRemedy(t *testing.T) {
	srv := s3test.New(t)
	srv.Setenv(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	list := func(url string, opt s3blob.Options) error {
		_, err := open(t, url, opt).List(ctx, "streams/")
		return err
	}
	write := func(url string, opt s3blob.Options) error {
		_, err := open(t, url, opt).Write(ctx, "k", nil, blob.Cond{IfMatch: "x"})
		return err
	}
	for name, try := range map[string]func(string, s3blob.Options) error{"list": list, "write": write} {
		wantText(t, try("s3://no-such-bucket", s3blob.Options{}), name+" s3://no-such-bucket/", "NoSuchBucket", "create the bucket")
		if err := try("s3://no-such-bucket", s3blob.Options{}); errors.Is(err, blob.ErrPrecondition) || errors.Is(err, blob.ErrNotExist) {
			t.Errorf("%s: a missing bucket is not a missing object: %v", name, err)
		}
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	wantText(t, list(srv.URL, s3blob.Options{Endpoint: nobody}), "list "+srv.URL+"/streams/", "cannot reach "+nobody, "AWS_ENDPOINT_URL")

	t.Setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
	err = list(srv.URL, s3blob.Options{})
	wantText(t, err, "SignatureDoesNotMatch", "secret access key is wrong")
	if strings.Contains(err.Error(), "not-the-secret") || strings.Contains(err.Error(), srv.SecretKey) {
		t.Errorf("a secret in %q", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")
	wantText(t, list(srv.URL, s3blob.Options{}), "does not know this access key", "profile")
	if _, _, err := open(t, srv.URL, s3blob.Options{}).ReadAll(ctx, "k"); errors.Is(err, blob.ErrNotExist) {
		t.Errorf("an unknown access key is taken for a missing object: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	wantText(t, list(srv.URL, s3blob.Options{}), "no usable AWS credentials", "AWS_PROFILE")
	_, err = s3blob.Open(ctx, srv.URL, s3blob.Options{Profile: "nightly"})
	wantText(t, err, "nightly")
	t.Setenv("AWS_ENDPOINT_URL", "")
	t.Setenv("AWS_REGION", "")
	_, err = s3blob.Open(ctx, srv.URL, s3blob.Options{})
	wantText(t, err, "AWS_REGION")
}

// Replies that the test server does not give, as S3 documents them.
func TestErrorReplies(t *testing.T) {
	s3test.New(t).Setenv(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	for _, reply := range []struct {
		status int
		header string
		code   string
		want   []string
	}{
		{301, "eu-west-1", "PermanentRedirect", []string{"eu-west-1", "AWS_REGION=eu-west-1"}},
		{400, "eu-west-1", "AuthorizationHeaderMalformed", []string{"AWS_REGION=eu-west-1"}},
		{403, "", "AccessDenied", []string{"AccessDenied", "allow s3:"}},
		{403, "", "", []string{"HTTP 403", "allow s3:"}},
		{403, "", "InvalidAccessKeyId", []string{"does not know this access key"}},
		{400, "", "ExpiredToken", []string{"log in again"}},
		{403, "", "RequestTimeTooSkewed", []string{"clock"}},
		{503, "", "SlowDown", []string{"SlowDown", "--threads"}},
	} {
		fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if reply.header != "" {
				w.Header().Set("X-Amz-Bucket-Region", reply.header)
			}
			w.WriteHeader(reply.status)
			if reply.code != "" && r.Method != http.MethodHead {
				w.Write([]byte(`<?xml version="1.0"?><Error><Code>` + reply.code + `</Code><Message>Told by the test.</Message></Error>`))
			}
		}))
		b := open(t, "s3://bucket/lake", s3blob.Options{Endpoint: fake.URL})
		_, lerr := b.List(ctx, "x/")
		_, werr := b.Write(ctx, "x/k", nil, blob.Cond{})
		_, cerr := b.Write(ctx, "x/k", nil, blob.Cond{IfNone: true})
		_, _, rerr := b.ReadAll(ctx, "x/k")
		for _, err := range []error{lerr, werr, cerr, rerr, b.Delete(ctx, "x/k")} {
			wantText(t, err, append(reply.want, "s3://bucket/lake/x/")...)
			if errors.Is(err, blob.ErrNotExist) || errors.Is(err, blob.ErrPrecondition) {
				t.Errorf("%s is taken for something else: %v", reply.code, err)
			}
		}
		if _, err := b.Stat(ctx, "x/k"); err == nil || errors.Is(err, blob.ErrNotExist) {
			t.Errorf("stat with %d: %v", reply.status, err)
		}
		fake.Close()
	}
}

// Keys that cannot be deleted are all named.
func TestDeleteNamesEachKey(t *testing.T) {
	s3test.New(t).Setenv(t)
	fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`<DeleteResult><Error><Key>lake/a</Key><Code>AccessDenied</Code><Message>No.</Message></Error>` +
			`<Error><Key>lake/b</Key><Code>InternalError</Code><Message>Oops.</Message></Error>` +
			`<Error><Key>lake/c</Key><Code>NoSuchKey</Code><Message>Gone.</Message></Error></DeleteResult>`))
	}))
	defer fake.Close()
	err := open(t, "s3://bucket/lake", s3blob.Options{Endpoint: fake.URL}).Delete(ctx, "a", "b", "c", "d")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"s3://bucket/lake/a: AccessDenied", "s3:DeleteObject", "s3://bucket/lake/b: InternalError"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "lake/c") {
		t.Errorf("a key that is gone is an error: %v", err)
	}
}

package place_test

import (
	"errors"
	"strings"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/fileblob"
	"mss/internal/blob/place"
	"mss/internal/blob/s3blob"
)

func TestOpen(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	dir := t.TempDir()
	for _, url := range []string{dir, "lake/raw", "./c:d", "file://" + dir} {
		b, err := place.Open(t.Context(), url, place.Options{})
		if _, ok := b.(*fileblob.Bucket); !ok || err != nil {
			t.Errorf("%s: %T, %v; want a folder", url, b, err)
		}
	}
	for url, name := range map[string]string{"s3://lab1-rawdata": "s3://lab1-rawdata", "S3://lab1-temp/a/b/": "s3://lab1-temp/a/b"} {
		b, err := place.Open(t.Context(), url, place.Options{})
		if _, ok := b.(*s3blob.Bucket); !ok || err != nil || b.String() != name {
			t.Errorf("%s: %T %v, %v; want %s", url, b, b, err, name)
		}
	}
	for url, hint := range map[string]string{
		"": "", "gs://bucket": "s3://", "s3a://bucket": "write s3://", "https://bucket.s3.amazonaws.com": "s3://", "s3:bucket": "", "s3://": "",
		"s3:///key": "", "file:/data": "file:///", "s3://b/../x": "",
	} {
		b, err := place.Open(t.Context(), url, place.Options{})
		if !errors.Is(err, blob.ErrURL) || b != nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, %v; want ErrURL with %q", url, b, err, hint)
		}
	}
	_, err := place.Open(t.Context(), "s3://AKIAEXAMPLE:hunter2@bucket/x", place.Options{})
	if !errors.Is(err, blob.ErrURL) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a place with a secret: %v", err)
	}
}

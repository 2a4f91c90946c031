package s3blob

import (
	"bytes"
	"mss/internal/blob"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"mss/internal/blob/s3test"
)

func TestPartsHoldTheLargestObject(t *testing.T) {
	var sum int64
	for n := 1; n <= 10_000; n++ {
		size := partSize(defaultPart, n)
		if size < minPart || size > 5<<30 {
			t.Fatalf("part %d of %d bytes is refused by S3", n, size)
		}
		sum += size
	}
	if sum < 5<<40 {
		t.Errorf("10,000 parts hold %d bytes, an object may have 5 TiB", sum)
	}
}

// The S3 console makes an empty object "streams/" to show a folder; it is no input.
func TestListLeavesOutFolderMarkers(t *testing.T) {
	srv := s3test.New(t)
	srv.Setenv(t)
	b, err := Open(t.Context(), srv.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"streams/", "streams/a.csv"} {
		if _, err := b.client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: &b.bucket, Key: aws.String(key), Body: bytes.NewReader(nil),
		}); err != nil {
			t.Fatal(err)
		}
	}
	found, err := b.List(t.Context(), "")
	if err != nil || len(found) != 1 || found[0].Key != "streams/a.csv" {
		t.Errorf("listed %v, %v", found, err)
	}
}

// A prefix is a folder of the bucket, not the beginning of a name.
func TestPrefixesAreApart(t *testing.T) {
	srv := s3test.New(t)
	srv.Setenv(t)
	for _, url := range []string{srv.URL + "/lake", srv.URL + "/lake2"} {
		b, err := Open(t.Context(), url, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Stage(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Publish(t.Context(), blob.Cond{}); err != nil {
			t.Fatal(err)
		}
		if found, err := b.List(t.Context(), ""); err != nil || len(found) != 1 || found[0].Key != "k" {
			t.Errorf("%s lists %v, %v", url, found, err)
		}
	}
}

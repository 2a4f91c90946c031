package s3blob_test

import (
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
)

func open(t testing.TB, url string, opt s3blob.Options) *s3blob.Bucket {
	t.Helper()
	b, err := s3blob.Open(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t testing.TB) blob.Bucket {
		srv := s3test.New(t)
		srv.Setenv(t)
		return open(t, srv.URL+"/lake/curated", s3blob.Options{})
	})
}

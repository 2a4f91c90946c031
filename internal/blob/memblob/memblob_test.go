package memblob_test

import (
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/blobtest"
	"mss/internal/blob/memblob"
)

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(testing.TB) blob.Bucket { return memblob.New("mem") })
}

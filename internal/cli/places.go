package cli

import (
	"context"
	"errors"

	"mss/internal/blob"
	"mss/internal/blob/place"
	"mss/internal/config"
)

// openPlace opens one place of the lake with the S3 settings that all of them share.
func openPlace(ctx context.Context, cfg *config.Config, url string) (blob.Bucket, error) {
	partSize, parts := transfer(cfg.MemoryLimit, cfg.Threads)
	b, err := place.Open(ctx, url, place.Options{
		Profile: cfg.Profile, Endpoint: cfg.S3Endpoint, PathStyle: cfg.S3PathStyle,
		PartSize: partSize, Concurrency: parts, KMSKey: cfg.KMSKey,
	})
	if errors.Is(err, place.ErrURL) {
		return nil, usageError{err}
	}
	return b, err
}

// The least and the usual unit of transfer, and the usual number of them under way, as s3blob has them.
const (
	leastPart  = 5 << 20
	usualPart  = 8 << 20
	usualParts = 3
)

// transfer sizes the buffers of S3 to the memory limit: a quarter of it for one object that each worker reads and
// one that it writes. Without a limit it is 0, 0: the usual sizes.
func transfer(limit int64, threads int) (partSize int64, parts int) {
	if limit == 0 {
		return 0, 0
	}
	each := limit / 4 / int64(2*threads)
	partSize = usualPart
	if each < (usualParts+1)*usualPart {
		partSize = leastPart
	}
	return partSize, int(min(max(each/partSize-1, 1), usualParts)) // one part more is held than is under way
}

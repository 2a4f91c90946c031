package cli

import (
	"context"
	"errors"

	"mss/internal/blob"
	"mss/internal/blob/place"
	"mss/internal/blob/s3blob"
	"mss/internal/config"
	"mss/internal/pipeline"
)

// openPlaces opens the places of the lake. What is staged there is marked as the run's.
func openPlaces(ctx context.Context, cfg *config.Config, run string) (p pipeline.Places, err error) {
	for _, place := range []struct {
		url string
		to  *blob.Bucket
	}{{cfg.Raw, &p.Raw}, {cfg.Curated, &p.Curated}, {cfg.Analytics, &p.Analytics}, {cfg.Temp, &p.Temp}} {
		if *place.to, err = openPlace(ctx, cfg, run, place.url); err != nil {
			return p, err
		}
	}
	return p, nil
}

// openPlace opens one place of the lake with the S3 settings that all of them share, for a run, or for nobody ("").
func openPlace(ctx context.Context, cfg *config.Config, run, url string) (blob.Bucket, error) {
	parts, uploads := transfer(cfg.MemoryLimit, cfg.Threads)
	b, err := place.Open(ctx, url, place.Options{Owner: run, S3: s3blob.Options{
		Profile: cfg.Profile, Endpoint: cfg.S3Endpoint, PathStyle: cfg.S3PathStyle,
		Concurrency: parts, Uploads: uploads, KMSKey: cfg.KMSKey,
	}})
	if errors.Is(err, blob.ErrURL) {
		return nil, usageError{err}
	}
	return b, err
}

// The unit of transfer of S3, and the usual number under way for a stream, as s3blob has them.
const (
	part       = 5 << 20
	usualParts = 3
)

// transfer sizes the buffers of S3: an eighth of the memory limit for what workers read, and an eighth for what is uploaded. It gives the
// parts under way for each stream, of which each worker has one, and for all uploads together.
func transfer(limit int64, threads int) (parts, uploads int) {
	parts, uploads = usualParts, threads+2
	if limit > 0 {
		parts = int(min(max(limit/8/int64(threads)/part, 1), usualParts))
		uploads = int(min(max(limit/8/part, 1), int64(uploads)))
	}
	return parts, uploads
}

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
	b, err := place.Open(ctx, url, place.Options{
		Profile: cfg.Profile, Endpoint: cfg.S3Endpoint, PathStyle: cfg.S3PathStyle,
	})
	if errors.Is(err, place.ErrURL) {
		return nil, usageError{err}
	}
	return b, err
}

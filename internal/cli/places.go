package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mss/internal/blob"
	"mss/internal/blob/place"
	"mss/internal/blob/s3blob"
	"mss/internal/config"
	"mss/internal/pipeline"
)

// openPlaces opens the places of the lake. What is staged there is marked as the run's.
func openPlaces(ctx context.Context, cfg *config.Config, run string) (p pipeline.Places, err error) {
	defer func() {
		if err == nil {
			err = apart(p)
		}
	}()
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

// folders are what each place has below it (docs/contract.md): what mss reads there, or takes for its own.
var folders = map[string][]string{
	"raw":       {"metadata", "streams"},
	"curated":   {"processed-metadata", "mss-transformed", "quarantine", "_mss"},
	"analytics": {"kpi_output", "_mss"},
	"temp":      {"redshift-tmp", "_mss"},
}

// apart refuses a place within a folder of another: its objects would be taken for plays, or for strange ones in a dataset. Places may be
// the same, or lie beside these folders.
func apart(p pipeline.Places) error {
	places := []struct {
		name   string
		bucket blob.Bucket
	}{{"raw", p.Raw}, {"curated", p.Curated}, {"analytics", p.Analytics}, {"temp", p.Temp}}
	for _, outer := range places {
		for _, inner := range places {
			rest, ok := below(inner.bucket, outer.bucket)
			folder, _, _ := strings.Cut(rest, "/")
			if !ok || !slices.Contains(folders[outer.name], folder) {
				continue
			}
			use := "writes itself"
			if outer.name == "raw" {
				use = "reads"
			}
			return usageError{fmt.Errorf("--%s %s lies in %s/ of --%s %s, which mss %s; name a place beside it", inner.name, inner.bucket,
				folder, outer.name, outer.bucket, use)}
		}
	}
	return nil
}

// below gives the path of a place from another one that it is the same as or lies below.
func below(inner, outer blob.Bucket) (rest string, ok bool) {
	type located interface{ Location() string }
	in, ok1 := inner.(located)
	out, ok2 := outer.(located)
	if !ok1 || !ok2 {
		return "", false
	}
	return strings.CutPrefix(in.Location()+"/", strings.TrimSuffix(out.Location(), "/")+"/")
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

// Package place opens a place of the lake by what the user wrote: a folder, file:// or s3://.
package place

import (
	"context"
	"fmt"
	"strings"

	"mss/internal/blob"
	"mss/internal/blob/fileblob"
	"mss/internal/blob/s3blob"
)

// Options say for whom a place is opened, and how S3 is to be reached.
type Options struct {
	Owner string // names the run that stages objects in the place; "" is nobody in particular
	S3    s3blob.Options
}

// Open makes a bucket of a folder (relative or absolute), file:///folder or s3://bucket[/prefix]. It reads and
// writes nothing in the place. The error wraps blob.ErrURL when url is wrongly written.
func Open(ctx context.Context, url string, opt Options) (blob.Bucket, error) {
	scheme, rest, found := strings.Cut(url, ":")
	scheme = strings.ToLower(scheme)
	switch {
	case url == "":
		return nil, fmt.Errorf("open a place: no folder and no s3://bucket given: %w", blob.ErrURL)
	case found && scheme == "s3":
		b, err := s3blob.Open(ctx, url, opt.S3)
		if err != nil {
			return nil, err // not b: a nil *s3blob.Bucket is no nil interface
		}
		return b, nil
	case found && scheme == "file" && !strings.HasPrefix(rest, "//"):
		return nil, fmt.Errorf("open %s: a file URL is file:///absolute/folder: %w", url, blob.ErrURL)
	case found && scheme != "file" && strings.HasPrefix(rest, "//"):
		hint := "a place is a folder, file:///folder or s3://bucket/prefix"
		if scheme == "s3a" || scheme == "s3n" {
			hint = "write s3://"
		}
		return nil, fmt.Errorf("open a place with scheme %q: %s: %w", scheme, hint, blob.ErrURL)
	}
	open := fileblob.Open
	if opt.Owner != "" {
		open = func(dir string) (*fileblob.Bucket, error) { return fileblob.OpenFor(opt.Owner, dir) }
	}
	b, err := open(url)
	if err != nil {
		return nil, err
	}
	return b, nil
}

package demodata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"mss/internal/blob"
)

// manifestKey lists the objects that Generate wrote, so that it replaces and removes these and no others.
const manifestKey = "_mss/generated.json"

type manifest struct {
	Objects []string `json:"objects"`
}

// claim makes sure that all input in the place is of our making, and records what is about to be made. It returns
// what was made before.
func claim(ctx context.Context, raw blob.Bucket, keys []string) ([]string, error) {
	var old manifest
	data, _, err := raw.ReadAll(ctx, manifestKey)
	if err == nil {
		err = json.Unmarshal(data, &old)
	}
	if err != nil && !errors.Is(err, blob.ErrNotExist) {
		return nil, fmt.Errorf("read %s of %s: %w", manifestKey, raw, err)
	}
	for _, folder := range []string{"metadata/", "streams/"} {
		objects, err := raw.List(ctx, folder)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if !slices.Contains(old.Objects, o.Key) {
				return nil, fmt.Errorf("generate into %s: %s is already there: %w; choose another place", raw, o.Key, ErrOccupied)
			}
		}
	}
	both := append(slices.Clone(old.Objects), keys...)
	slices.Sort(both)
	return old.Objects, record(ctx, raw, slices.Compact(both))
}

// release removes what was made before and is not made any more.
func release(ctx context.Context, raw blob.Bucket, old, keys []string) error {
	stale := slices.DeleteFunc(slices.Clone(old), func(key string) bool { return slices.Contains(keys, key) })
	if len(stale) > 0 {
		if err := raw.Delete(ctx, stale...); err != nil {
			return err
		}
	}
	return record(ctx, raw, keys)
}

func record(ctx context.Context, raw blob.Bucket, keys []string) error {
	data, err := json.MarshalIndent(manifest{keys}, "", "  ")
	if err != nil {
		return err
	}
	_, err = raw.Write(ctx, manifestKey, append(data, '\n'), blob.Cond{})
	return err
}

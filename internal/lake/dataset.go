package lake

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"mss/internal/blob"
)

// Dataset is a set of Parquet objects below one prefix of a place, published together.
type Dataset struct {
	Bucket blob.Bucket
	Name   string // names the snapshot document
	Prefix string // the data objects' prefix, ends with a slash
}

// Songs is the dataset of songs.parquet.
func Songs(curated blob.Bucket) Dataset {
	return Dataset{curated, "songs", "processed-metadata/songs/"}
}

// Users is the dataset of users.parquet.
func Users(curated blob.Bucket) Dataset {
	return Dataset{curated, "users", "processed-metadata/users/"}
}

// Transformed is the dataset of the enriched plays.
func Transformed(curated blob.Bucket) Dataset {
	return Dataset{curated, "mss-transformed", "mss-transformed/"}
}

// KPIOutput is the audit copy of the KPIs.
func KPIOutput(analytics blob.Bucket) Dataset {
	return Dataset{analytics, "kpi_output", "kpi_output/"}
}

// stateDir holds the state of mss in a place; data objects never lie below it.
const stateDir = "_mss/"

func (d Dataset) snapshotKey() string { return stateDir + d.Name + "/snapshot.json" }

// String names the dataset for people.
func (d Dataset) String() string { return d.Name + " in " + d.Bucket.String() }

// Objects lists the data objects to read: those of the snapshot or, where there is none, all Parquet objects that lie
// there (Glue's, say). An object that is not the listed one is an error.
func (d Dataset) Objects(ctx context.Context, s *Snapshot) ([]blob.Object, error) {
	all, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return all, nil
	}
	var out []blob.Object
	for _, e := range s.Objects {
		i, ok := slices.BinarySearchFunc(all, e.Key, func(o blob.Object, k string) int { return strings.Compare(o.Key, k) })
		if !ok {
			return nil, fmt.Errorf("read %s: the object %s of its snapshot is missing; run the job that writes it again", d, e.Key)
		}
		if all[i].Size != e.Size {
			return nil, fmt.Errorf("read %s: the object %s has %d bytes, its snapshot says %d; is it just being replaced? Run the job that writes it again",
				d, e.Key, all[i].Size, e.Size)
		}
		if all[i].ETag != e.ETag {
			if err := d.verify(ctx, all[i], e); err != nil {
				return nil, err
			}
		}
		out = append(out, all[i])
	}
	return out, nil
}

// verify reads an object whose ETag is not the listed one: it may have been copied here, or be another.
func (d Dataset) verify(ctx context.Context, obj blob.Object, e Entry) error {
	got, err := d.checksum(ctx, obj)
	if err != nil {
		return err
	}
	if got != e.CRC32C {
		return fmt.Errorf("read %s: the object %s is not the one that its snapshot lists (CRC-32C %s, want %s); is it just being replaced? Run the job that writes it again",
			d, e.Key, got, e.CRC32C)
	}
	return nil
}

// checksum reads an object whole, and gives its CRC-32C, hexadecimal.
func (d Dataset) checksum(ctx context.Context, obj blob.Object) (string, error) {
	in, err := d.Bucket.Open(ctx, obj)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", d, err)
	}
	defer in.Close()
	s, err := in.Stream(ctx, 0, obj.Size)
	if err != nil {
		return "", fmt.Errorf("read %s: %s: %w", d, obj.Key, err)
	}
	sum := crc32.New(castagnoli)
	_, err = io.Copy(sum, s)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %s: %w", d, obj.Key, err)
	}
	return fmt.Sprintf("%08x", sum.Sum32()), nil
}

// list lists the Parquet objects of the dataset's folder.
func (d Dataset) list(ctx context.Context) ([]blob.Object, error) {
	all, err := d.Bucket.List(ctx, d.Prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", d, err)
	}
	return slices.DeleteFunc(all, func(o blob.Object) bool { return !strings.HasSuffix(o.Key, ".parquet") }), nil
}

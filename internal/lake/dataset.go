package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"mss/internal/blob"
	"mss/internal/schema"
)

// Dataset is a set of Parquet objects below one prefix of a place, published together.
type Dataset struct {
	Bucket blob.Bucket
	Name   string // names the snapshot document
	Prefix string // the data objects' prefix, ends with a slash
}

// The datasets of the contract.
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

// snapshotFormat is raised when old releases could not read a snapshot any more.
const snapshotFormat = 1

// Snapshot is the one document that says which objects a dataset consists of.
type Snapshot struct {
	Format    int              `json:"format"`
	Dataset   string           `json:"dataset"`
	Run       string           `json:"run"`
	Semantics schema.Semantics `json:"semantics"`
	Plays     int64            `json:"plays,omitempty"`
	Objects   []Entry          `json:"objects"` // in the order of their keys

	etag string // of the document, for its conditional replacement
}

// Entry is one data object of a snapshot.
type Entry struct {
	Key    string  `json:"key"`
	Size   int64   `json:"size"`
	ETag   string  `json:"etag"`   // as the place gave it when the object was published
	CRC32C string  `json:"crc32c"` // of the whole object, hexadecimal
	Rows   int64   `json:"rows"`
	Plays  int64   `json:"plays,omitempty"` // rows with is_primary
	Source *Source `json:"source,omitempty"`
}

// Source is the raw object that a data object was made from.
type Source struct {
	Key      string           `json:"key"`
	Size     int64            `json:"size"`
	ETag     string           `json:"etag"`
	Rows     int64            `json:"rows"` // records read, rejects included
	Rejected map[string]int64 `json:"rejected,omitempty"`
}

// Snapshot reads the dataset's snapshot; nil when there is none.
func (d Dataset) Snapshot(ctx context.Context) (*Snapshot, error) {
	data, obj, err := d.Bucket.ReadAll(ctx, d.snapshotKey())
	if errors.Is(err, blob.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the snapshot of %s: %w", d, err)
	}
	var s Snapshot
	if err := json.Unmarshal(data, &s); err != nil || s.Dataset != d.Name {
		return nil, fmt.Errorf("read the snapshot of %s: %s is damaged; delete it and run the job again", d, d.snapshotKey())
	}
	if s.Format > snapshotFormat {
		return nil, fmt.Errorf("read the snapshot of %s: it has format %d, this mss knows up to %d; use a newer mss", d, s.Format, snapshotFormat)
	}
	s.etag = obj.ETag
	return &s, nil
}

// Require reads the snapshot that a job needs as input, made under the run's semantics.
func (d Dataset) Require(ctx context.Context, run *Run, job string) (*Snapshot, error) {
	s, err := d.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("%w: there is no %s yet; run `mss run %s` first", ErrUsage, d, job)
	}
	return s, s.CheckSemantics(run, d, job)
}

// CheckSemantics refuses input that was made under other semantics than the run's.
func (s *Snapshot) CheckSemantics(run *Run, d Dataset, job string) error {
	if s.Semantics == run.Semantics {
		return nil
	}
	return fmt.Errorf("%w: %s was made with --semantics %s, this run has %s; run `mss run %s --semantics %s` first",
		ErrUsage, d, s.Semantics, run.Semantics, job, run.Semantics)
}

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
	in, err := d.Bucket.Open(ctx, obj)
	if err != nil {
		return fmt.Errorf("read %s: %w", d, err)
	}
	defer in.Close()
	s, err := in.Stream(ctx, 0, obj.Size)
	if err != nil {
		return fmt.Errorf("read %s: %s: %w", d, e.Key, err)
	}
	sum := crc32.New(castagnoli)
	_, err = io.Copy(sum, s)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("read %s: %s: %w", d, e.Key, err)
	}
	if got := fmt.Sprintf("%08x", sum.Sum32()); got != e.CRC32C {
		return fmt.Errorf("read %s: the object %s is not the one that its snapshot lists (CRC-32C %s, want %s); is it just being replaced? Run the job that writes it again",
			d, e.Key, got, e.CRC32C)
	}
	return nil
}

// list lists the Parquet objects of the dataset's folder.
func (d Dataset) list(ctx context.Context) ([]blob.Object, error) {
	all, err := d.Bucket.List(ctx, d.Prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", d, err)
	}
	return slices.DeleteFunc(all, func(o blob.Object) bool { return !strings.HasSuffix(o.Key, ".parquet") }), nil
}

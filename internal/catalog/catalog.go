package catalog

import (
	"context"
	"fmt"
	"strings"

	"mss/internal/blob"
	"mss/internal/lake"
)

// Database is the name of the database that holds the tables.
const Database = "mss_db"

// Table is what a catalog is to say of one table.
type Table struct {
	Name          string
	Description   string
	Location      string // s3://bucket/prefix/
	Columns       []Column
	PartitionKeys []Column
	Partitions    []Partition // of a table that has PartitionKeys
	Stats         Stats
}

// Column is a column, with its type in Hive's words.
type Column struct {
	Name, Type string
	Stats      *ColumnStats // nil: not known without reading the data
}

// Partition is one value of each partition key, and where its objects lie.
type Partition struct {
	Values   []string
	Location string
	Stats    Stats
}

// Stats count what lies at a location.
type Stats struct{ Rows, Bytes, Objects int64 }

// ColumnStats are exact. A bool column has Trues and Falses, others have Distinct.
type ColumnStats struct{ Nulls, Distinct, Trues, Falses int64 }

// Catalog keeps tables.
type Catalog interface {
	// Apply makes the tables of the database what they are to be. Those that are so already it does not touch, and
	// those that it is not given it leaves alone. dry only tells what would change. The changes are those of all
	// tables given, in their order, up to the first that fails.
	Apply(ctx context.Context, database string, tables []Table, dry bool) ([]Change, error)
}

// Change says what was done to a table, or is to be.
type Change struct {
	Table  Table
	Action Action
}

// Action is what is done to a table.
type Action string

// The actions.
const (
	Created    Action = "created"
	Redefined  Action = "redefined"  // columns, location or format: a new version of the table
	Statistics Action = "statistics" // rows and bytes alone
	Unchanged  Action = "unchanged"
)

// Sync makes the catalog describe the datasets that the lake has now. A dataset without a snapshot is left out: its
// job has not run yet. The error wraps lake.ErrUsage when a place is not on S3.
func Sync(ctx context.Context, c Catalog, curated, analytics blob.Bucket) ([]Change, error) {
	return apply(ctx, c, curated, analytics, false)
}

// Show tells what Sync would do.
func Show(ctx context.Context, c Catalog, curated, analytics blob.Bucket) ([]Change, error) {
	return apply(ctx, c, curated, analytics, true)
}

func apply(ctx context.Context, c Catalog, curated, analytics blob.Bucket, dry bool) ([]Change, error) {
	tables, err := Describe(ctx, curated, analytics)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	return c.Apply(ctx, Database, tables, dry)
}

// CheckPlace refuses places that a catalog's readers cannot reach; the error wraps lake.ErrUsage.
func CheckPlace(place string) error {
	if !strings.HasPrefix(place, "s3://") {
		return fmt.Errorf("%w: %s is not on S3, and a catalog describes s3:// places only; name buckets with --curated and --analytics, or say --catalog none",
			lake.ErrUsage, place)
	}
	return nil
}

package glue

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"mss/internal/catalog"
)

// How Hive, and whoever reads its catalog, is told of Parquet.
const (
	parquetSerDe  = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
	parquetInput  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
	parquetOutput = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
	external      = "EXTERNAL_TABLE"
)

// format are the parameters that belong to the definition of a table.
var format = map[string]string{"EXTERNAL": "TRUE", "classification": "parquet", "typeOfData": "file"}

// counts are the parameters that tell how much there is. Glue and its crawlers say recordCount, Redshift numRows.
func counts(s catalog.Stats) map[string]string {
	average := int64(0)
	if s.Rows > 0 {
		average = s.Bytes / s.Rows
	}
	text := func(n int64) string { return strconv.FormatInt(n, 10) }
	return map[string]string{
		"recordCount": text(s.Rows), "numRows": text(s.Rows), "sizeKey": text(s.Bytes), "objectCount": text(s.Objects),
		"averageRecordSize": text(average),
	}
}

// compare tells what is to be done to make the table that is there, if any, the one that is wanted.
func compare(old *types.Table, t catalog.Table) catalog.Action {
	switch {
	case old == nil:
		return catalog.Created
	case aws.ToString(old.TableType) != external, !contains(old.Parameters, format), !sameStorage(old.StorageDescriptor, t.Columns, t.Location),
		!sameColumns(old.PartitionKeys, t.PartitionKeys):
		return catalog.Redefined
	case !contains(old.Parameters, counts(t.Stats)):
		return catalog.Statistics
	}
	return catalog.Unchanged
}

// input is the table that is wanted, with what others have added to the one that is there: a description, an owner,
// comments, parameters.
func input(old *types.Table, t catalog.Table) *types.TableInput {
	in := &types.TableInput{
		Name: &t.Name, Description: &t.Description, TableType: aws.String(external),
		Parameters: map[string]string{}, PartitionKeys: columns(nil, t.PartitionKeys),
		StorageDescriptor: storage(nil, t.Columns, t.Location),
	}
	if old != nil {
		in.Owner, in.Retention, in.LastAccessTime, in.LastAnalyzedTime = old.Owner, old.Retention, old.LastAccessTime, old.LastAnalyzedTime
		if aws.ToString(old.Description) != "" {
			in.Description = old.Description
		}
		maps.Copy(in.Parameters, old.Parameters)
		in.PartitionKeys = columns(old.PartitionKeys, t.PartitionKeys)
		in.StorageDescriptor = storage(old.StorageDescriptor, t.Columns, t.Location)
	}
	maps.Copy(in.Parameters, format)
	maps.Copy(in.Parameters, counts(t.Stats))
	return in
}

func storage(old *types.StorageDescriptor, cols []catalog.Column, location string) *types.StorageDescriptor {
	sd := &types.StorageDescriptor{
		Location: &location, InputFormat: aws.String(parquetInput), OutputFormat: aws.String(parquetOutput),
		SerdeInfo: &types.SerDeInfo{SerializationLibrary: aws.String(parquetSerDe), Parameters: map[string]string{"serialization.format": "1"}},
	}
	if old == nil {
		sd.Columns = columns(nil, cols)
		return sd
	}
	sd.Columns = columns(old.Columns, cols)
	sd.Parameters = old.Parameters
	return sd
}

// columns keeps the comments of columns that stay.
func columns(old []types.Column, cols []catalog.Column) []types.Column {
	out := make([]types.Column, len(cols))
	for i, c := range cols {
		out[i] = types.Column{Name: aws.String(c.Name), Type: aws.String(c.Type)}
		if at := slices.IndexFunc(old, func(o types.Column) bool { return aws.ToString(o.Name) == c.Name }); at >= 0 {
			out[i].Comment = old[at].Comment
		}
	}
	return out
}

func sameStorage(sd *types.StorageDescriptor, cols []catalog.Column, location string) bool {
	return sd != nil && sd.SerdeInfo != nil && aws.ToString(sd.Location) == location &&
		aws.ToString(sd.InputFormat) == parquetInput && aws.ToString(sd.OutputFormat) == parquetOutput &&
		aws.ToString(sd.SerdeInfo.SerializationLibrary) == parquetSerDe && sameColumns(sd.Columns, cols)
}

func sameColumns(old []types.Column, cols []catalog.Column) bool {
	return slices.EqualFunc(old, cols, func(o types.Column, c catalog.Column) bool {
		return aws.ToString(o.Name) == c.Name && aws.ToString(o.Type) == c.Type
	})
}

// contains tells whether all of part is in whole.
func contains(whole, part map[string]string) bool {
	for k, v := range part {
		if whole[k] != v {
			return false
		}
	}
	return true
}

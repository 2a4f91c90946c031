package glue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"mss/internal/catalog"
)

// partitions makes the table's partitions what they are to be, and tells whether something was different. Partitions
// that are not mss's stay.
func (c *Catalog) partitions(ctx context.Context, database string, t catalog.Table, dry bool) (changed bool, err error) {
	if len(t.Partitions) == 0 {
		return false, nil
	}
	var there []types.Partition
	pages := glue.NewGetPartitionsPaginator(c.client, &glue.GetPartitionsInput{DatabaseName: &database, TableName: &t.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, fail(ctx, "list the partitions of", database, t.Name, "glue:GetPartitions", err)
		}
		there = append(there, page.Partitions...)
	}
	var add []types.PartitionInput
	for _, p := range t.Partitions {
		i := slices.IndexFunc(there, func(o types.Partition) bool { return slices.Equal(o.Values, p.Values) })
		switch {
		case i < 0:
			changed = true
			add = append(add, partition(nil, t, p))
		case !sameStorage(there[i].StorageDescriptor, t.Columns, p.Location) || !contains(there[i].Parameters, partitionCounts(p)):
			changed = true
			if dry {
				continue
			}
			in := partition(&there[i], t, p)
			_, err := c.client.UpdatePartition(ctx, &glue.UpdatePartitionInput{
				DatabaseName: &database, TableName: &t.Name, PartitionValueList: p.Values, PartitionInput: &in,
			})
			if err != nil {
				return changed, fail(ctx, "update a partition of", database, t.Name, "glue:UpdatePartition", err)
			}
		}
	}
	if len(add) == 0 || dry {
		return changed, nil
	}
	return changed, c.addPartitions(ctx, database, t.Name, add)
}

func (c *Catalog) addPartitions(ctx context.Context, database, table string, add []types.PartitionInput) error {
	out, err := c.client.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{
		DatabaseName: &database, TableName: &table, PartitionInputList: add,
	})
	if err != nil {
		return fail(ctx, "add partitions to", database, table, "glue:BatchCreatePartition", err)
	}
	for _, e := range out.Errors {
		if e.ErrorDetail != nil {
			return fmt.Errorf("add the partition %s to the table %s of the Glue database %s: %s: %s; run `mss catalog sync` again",
				strings.Join(e.PartitionValues, "/"), table, database, aws.ToString(e.ErrorDetail.ErrorCode), aws.ToString(e.ErrorDetail.ErrorMessage))
		}
	}
	return nil
}

func partition(old *types.Partition, t catalog.Table, p catalog.Partition) types.PartitionInput {
	in := types.PartitionInput{Values: p.Values, Parameters: map[string]string{}, StorageDescriptor: storage(nil, t.Columns, p.Location)}
	if old != nil {
		maps.Copy(in.Parameters, old.Parameters)
		in.StorageDescriptor = storage(old.StorageDescriptor, t.Columns, p.Location)
	}
	maps.Copy(in.Parameters, partitionCounts(p))
	return in
}

func partitionCounts(p catalog.Partition) map[string]string {
	all := counts(p.Stats)
	all["classification"] = format["classification"]
	return all
}

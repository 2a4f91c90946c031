package glue

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"mss/internal/catalog"
)

// errNoDatabase is found by Probe when there is no database to make a table in.
var errNoDatabase = errors.New("the Glue database does not exist")

// Probe makes the table catalog.ProbeTable, does with it everything that Apply does with a table, removes it, and tells of each
// IAM action whether it went well. Without a table the actions on one are tried all the same: they are refused, or do
// not find it.
func (c *Catalog) Probe(ctx context.Context, database string, tried func(action string, err error)) {
	t := catalog.Table{Name: catalog.ProbeTable, Location: "s3://mss-doctor/none/", Columns: []catalog.Column{{Name: "n", Type: "bigint"}},
		PartitionKeys: []catalog.Column{{Name: "p", Type: "string"}}}
	part := partition(nil, t, catalog.Partition{Values: []string{"x"}, Location: t.Location})
	name, db := aws.String(t.Name), &database
	for _, step := range []struct {
		action string
		do     func() error
	}{
		{"glue:CreateTable", func() error {
			_, err := c.client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: db, TableInput: input(nil, t)})
			var left *types.AlreadyExistsException // by a probe that was killed
			if errors.As(err, &left) {
				return nil
			}
			if missing(err) {
				return errNoDatabase
			}
			return err
		}},
		{"glue:GetTable", func() error {
			_, err := c.client.GetTable(ctx, &glue.GetTableInput{DatabaseName: db, Name: name})
			return err
		}},
		{"glue:UpdateTable", func() error {
			_, err := c.client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: db, TableInput: input(nil, t), SkipArchive: aws.Bool(true)})
			return err
		}},
		{"glue:BatchCreatePartition", func() error {
			_, err := c.client.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: db, TableName: name,
				PartitionInputList: []types.PartitionInput{part}})
			return err
		}},
		{"glue:GetPartitions", func() error {
			_, err := c.client.GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: db, TableName: name})
			return err
		}},
		{"glue:UpdatePartition", func() error {
			_, err := c.client.UpdatePartition(ctx, &glue.UpdatePartitionInput{DatabaseName: db, TableName: name,
				PartitionValueList: part.Values, PartitionInput: &part})
			return err
		}},
		{"glue:DeleteTable", func() error {
			_, err := c.client.DeleteTable(context.WithoutCancel(ctx), &glue.DeleteTableInput{DatabaseName: db, Name: name})
			return err
		}},
	} {
		err := step.do()
		if missing(err) { // what was to be made before could not be: that has been told
			err = nil
		}
		tried(step.action, err)
	}
}

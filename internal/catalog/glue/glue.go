// Package glue keeps the tables of the lake in the AWS Glue Data Catalog.
//
// What a table is already is compared before anything is sent, so that a run that changed nothing makes no new version
// of a table. When only its rows and bytes have changed, the old version is not archived: statistics are no versions.
package glue

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"mss/internal/awsconfig"
	"mss/internal/catalog"
)

// Catalog is the Data Catalog of an account in a region.
type Catalog struct{ client *glue.Client }

var _ catalog.Catalog = (*Catalog)(nil)

// Open reads the AWS configuration; it makes no request to Glue. opt.Endpoint is ignored: AWS_ENDPOINT_URL_GLUE names
// another server.
func Open(ctx context.Context, opt awsconfig.Options) (*Catalog, error) {
	opt.Endpoint = false
	cfg, err := awsconfig.Load(ctx, opt)
	if err != nil {
		return nil, fmt.Errorf("open the Glue Data Catalog: read the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("open the Glue Data Catalog: no AWS region is configured: set AWS_REGION, or region in the profile")
	}
	return &Catalog{client: glue.NewFromConfig(cfg)}, nil
}

// Apply is as catalog.Catalog says. It creates the database when there is none.
func (c *Catalog) Apply(ctx context.Context, database string, tables []catalog.Table, dry bool) ([]catalog.Change, error) {
	var changes []catalog.Change
	for _, t := range tables {
		action, err := c.apply(ctx, database, t, dry)
		if err != nil {
			return changes, err
		}
		changes = append(changes, catalog.Change{Table: t, Action: action})
	}
	return changes, nil
}

func (c *Catalog) apply(ctx context.Context, database string, t catalog.Table, dry bool) (catalog.Action, error) {
	old, err := c.table(ctx, database, t.Name)
	if err != nil {
		return "", err
	}
	action := compare(old, t)
	if !dry {
		if err := c.write(ctx, database, old, t, action); err != nil {
			return "", err
		}
	}
	if action == catalog.Created && dry {
		return action, nil // there is nothing yet to compare partitions with
	}
	for _, part := range []func(context.Context, string, catalog.Table, bool) (bool, error){c.partitions, c.columnStatistics} {
		changed, err := part(ctx, database, t, dry)
		if err != nil {
			return "", err
		}
		if changed && action == catalog.Unchanged {
			action = catalog.Statistics
		}
	}
	return action, nil
}

// table is the table as it is; nil when it, or its database, does not exist.
func (c *Catalog) table(ctx context.Context, database, name string) (*types.Table, error) {
	out, err := c.client.GetTable(ctx, &glue.GetTableInput{DatabaseName: &database, Name: &name})
	switch {
	case missing(err):
		return nil, nil
	case err != nil:
		return nil, fail(ctx, "read", database, name, "glue:GetTable", err)
	}
	return out.Table, nil
}

func (c *Catalog) write(ctx context.Context, database string, old *types.Table, t catalog.Table, action catalog.Action) error {
	switch action {
	case catalog.Created:
		create := func() error {
			_, err := c.client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: input(nil, t)})
			return err
		}
		err := create()
		if missing(err) { // the database
			if err := c.createDatabase(ctx, database); err != nil {
				return err
			}
			err = create()
		}
		if err != nil {
			return fail(ctx, "create", database, t.Name, "glue:CreateTable", err)
		}
	case catalog.Redefined, catalog.Statistics:
		_, err := c.client.UpdateTable(ctx, &glue.UpdateTableInput{
			DatabaseName: &database, TableInput: input(old, t),
			VersionId:   old.VersionId, // whoever changed it since it was read is not overwritten
			SkipArchive: aws.Bool(action == catalog.Statistics),
		})
		if err != nil {
			return fail(ctx, "update", database, t.Name, "glue:UpdateTable", err)
		}
	}
	return nil
}

func (c *Catalog) createDatabase(ctx context.Context, database string) error {
	_, err := c.client.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{
		Name: &database, Description: aws.String("The lake of mss: plays, songs, users and their KPIs."),
	}})
	var exists *types.AlreadyExistsException
	if err == nil || errors.As(err, &exists) {
		return nil
	}
	err = fail(ctx, "create the database of", database, catalog.SongsTable, "glue:CreateDatabase", err)
	return fmt.Errorf("%w (or have the database %s created by someone who may)", err, database)
}

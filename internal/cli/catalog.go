package cli

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mss/internal/awsconfig"
	"mss/internal/blob"
	"mss/internal/catalog"
	"mss/internal/catalog/glue"
	"mss/internal/config"
)

func (a *app) catalogCmd() *cobra.Command {
	return group(&cobra.Command{
		Use:   "catalog",
		Short: "Keep the tables of the lake in the Glue Data Catalog",
		Long: `Keep the tables of the lake in the Glue Data Catalog, database ` + catalog.Database + `: where they lie, their columns, rows
and bytes. A run does so itself with --catalog glue. What has not changed is not written, and makes no new version
of a table.`,
		Example: "  mss catalog show\n  mss catalog sync",
	},
		a.catalogSubCmd("sync", "Make the catalog describe the lake as it is now", catalog.Sync),
		a.catalogSubCmd("show", "Show the tables, and what sync would change", catalog.Show),
	)
}

// catalogWork is catalog.Sync or catalog.Show.
type catalogWork func(context.Context, catalog.Catalog, blob.Bucket, blob.Bucket) ([]catalog.Change, error)

func (a *app) catalogSubCmd(name, short string, work catalogWork) *cobra.Command {
	return &cobra.Command{
		Use:     name,
		Short:   short,
		Long:    short + ".",
		Example: "  mss catalog " + name + " --curated s3://lab1-curateddata --analytics s3://lab1-analytics",
		Args:    cobra.NoArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			changes, err := withCatalog(cmd.Context(), cfg, work)
			if err != nil {
				return err
			}
			return a.writeChanges(cfg, changes)
		}),
	}
}

// withCatalog opens the catalog and the places that it describes. With catalog.Sync it is what a run ends with under
// --catalog glue.
func withCatalog(ctx context.Context, cfg *config.Config, work catalogWork) ([]catalog.Change, error) {
	if err := checkCatalog(cfg); err != nil {
		return nil, err
	}
	places, err := openPlaces(ctx, cfg, "")
	if err != nil {
		return nil, err
	}
	c, err := glue.Open(ctx, awsconfig.Options{Profile: cfg.Profile})
	if err != nil {
		return nil, err
	}
	return work(ctx, c, places.Curated, places.Analytics)
}

// checkCatalog refuses places that a catalog cannot describe.
func checkCatalog(cfg *config.Config) error {
	for _, place := range []string{cfg.Curated, cfg.Analytics} {
		if err := catalog.CheckPlace(place); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) writeChanges(cfg *config.Config, changes []catalog.Change) error {
	if cfg.Output == "json" {
		type row struct {
			Table    string         `json:"table"`
			Action   catalog.Action `json:"action"`
			Location string         `json:"location"`
			Rows     int64          `json:"rows"`
			Bytes    int64          `json:"bytes"`
			Objects  int64          `json:"objects"`
		}
		rows := []row{}
		for _, c := range changes {
			rows = append(rows, row{c.Table.Name, c.Action, c.Table.Location, c.Table.Stats.Rows, c.Table.Stats.Bytes, c.Table.Stats.Objects})
		}
		return a.printJSON(rows)
	}
	if len(changes) == 0 {
		_, err := fmt.Fprintln(a.stdout, "There is nothing to describe yet: run `mss run all` first.")
		return err
	}
	t := newTable()
	t.AppendHeader(table.Row{"table of " + catalog.Database, "change", "rows", "size", "location"})
	for _, c := range changes {
		t.AppendRow(table.Row{c.Table.Name, c.Action, humanize.Comma(c.Table.Stats.Rows), humanize.Bytes(uint64(c.Table.Stats.Bytes)), c.Table.Location})
	}
	_, err := fmt.Fprintln(a.stdout, t.Render())
	return err
}

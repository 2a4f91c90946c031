package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/demodata"
)

type generateOptions struct {
	data demodata.Options
}

func (o *generateOptions) addTo(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.Int64Var(&o.data.Plays, "plays", 100_000, "make `N` plays")
	fs.Uint64Var(&o.data.Seed, "seed", 1, "the same `SEED` makes the same data")
	fs.IntVar(&o.data.Files, "files", 0, "spread the plays over `N` files (default one for each million plays, at least 3)")
	fs.IntVar(&o.data.Tracks, "tracks", 0, "make `N` tracks (default grows with the plays, up to 90,000)")
	fs.IntVar(&o.data.Users, "users", 0, "make `N` users (default grows with the plays, up to 50,000)")
}

func (a *app) generateCmd() *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make seeded synthetic input in the raw place",
		Long: `Make synthetic songs, users and plays in the raw place, in the shape of the real ones: popular and forgotten
tracks, a daily rhythm, several genres for a track, repeated rows, unknown tracks, a few broken lines. The same seed
makes the same bytes. What it made there before is replaced; a place with other input is left alone, with exit 2.`,
		Example: `  mss generate --raw bench/raw --plays 10000000
  mss generate --raw s3://my-test-bucket/raw --plays 1000000 --seed 7`,
		Args: cobra.NoArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			sum, err := o.generate(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			if cfg.Output == "json" {
				return a.printJSON(sum)
			}
			_, err = fmt.Fprintf(a.stdout, "%s in %s\n", describe(sum), cfg.Raw)
			return err
		}),
	}
	o.addTo(cmd)
	return cmd
}

func (o *generateOptions) generate(ctx context.Context, cfg *config.Config) (demodata.Summary, error) {
	raw, err := openPlace(ctx, cfg, "", cfg.Raw)
	if err != nil {
		return demodata.Summary{}, err
	}
	o.data.Threads = cfg.Threads
	sum, err := demodata.Generate(ctx, raw, o.data)
	if errors.Is(err, demodata.ErrOccupied) || errors.Is(err, demodata.ErrOptions) {
		err = usageError{err}
	}
	return sum, err
}

func describe(sum demodata.Summary) string {
	return fmt.Sprintf("%s made-up plays of %s tracks by %s users (%s)", humanize.Comma(sum.Plays),
		humanize.Comma(int64(sum.Tracks)), humanize.Comma(int64(sum.Users)), humanize.Bytes(uint64(sum.Bytes)))
}

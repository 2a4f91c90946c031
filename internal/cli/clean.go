package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/lake"
)

func (a *app) cleanCmd() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Clean up behind a run that was killed",
		Long: `Clean up behind a run that was killed: discard what it staged, and finish or undo its publication. Each run does
the same before it begins; this does it alone. It touches nothing that the records of mss do not name.`,
		Example: "  mss clean --dry-run\n  mss clean",
		Args:    cobra.NoArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			return a.clean(cmd.Context(), cfg, dry)
		}),
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	return cmd
}

func (a *app) clean(ctx context.Context, cfg *config.Config, dry bool) error {
	id := newRunID(a.now())
	p, err := a.pipeline(ctx, cfg, id)
	if err != nil {
		return err
	}
	fixes, err := p.Clean(ctx, id, dry)
	if err != nil && len(fixes) == 0 {
		return err // nobody has looked
	}
	return errors.Join(err, a.printFixes(cfg, fixes, dry))
}

func (a *app) printFixes(cfg *config.Config, fixes []lake.Fix, dry bool) error {
	if cfg.Output == "json" {
		return a.printJSON(append([]lake.Fix{}, fixes...))
	}
	if len(fixes) == 0 {
		_, err := fmt.Fprintln(a.stdout, "nothing to clean up")
		return err
	}
	done := "done"
	if dry {
		done = "would be done"
	}
	t := newTable()
	t.AppendHeader(table.Row{"place", "object", done})
	for _, f := range fixes {
		t.AppendRow(table.Row{printable(f.Place), printable(f.Object), f.Done})
	}
	_, err := fmt.Fprintln(a.stdout, t.Render())
	return err
}

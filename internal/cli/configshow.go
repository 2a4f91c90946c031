package cli

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/history"
)

func (a *app) configCmd() *cobra.Command {
	return group(&cobra.Command{
		Use:     "config",
		Short:   "Look at the configuration",
		Long:    "Look at the configuration.",
		Example: "  mss config show",
	}, &cobra.Command{
		Use:   "show",
		Short: "Show every setting, its value and where it came from",
		Long: `Show every setting, its value and where it came from: its default, a line of the config file, a variable of
the environment, or a flag. Secrets are masked.`,
		Example: `  mss config show
  mss config show --config prod.yaml --output json`,
		Args: cobra.NoArgs,
		RunE: a.do(func(*cobra.Command, []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			return a.showConfig(cfg)
		}),
	})
}

func (a *app) showConfig(cfg *config.Config) error {
	if cfg.Output == "json" {
		return a.printJSON(settingsOf(cfg))
	}
	t := newTable()
	t.AppendHeader(table.Row{"setting", "value", "origin"})
	for _, v := range cfg.Values {
		t.AppendRow(table.Row{v.Setting.Name, printable(v.Shown), v.Origin})
	}
	_, err := fmt.Fprintln(a.stdout, t.Render())
	return err
}

// settingsOf are all settings as they may be printed and recorded: secrets are masked.
func settingsOf(cfg *config.Config) (all []history.Setting) {
	for _, v := range cfg.Values {
		all = append(all, history.Setting{Name: v.Setting.Name, Value: v.Shown, Origin: v.Origin})
	}
	return all
}

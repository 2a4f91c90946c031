package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mss/internal/config"
	"mss/internal/redshift"
)

var formats = []string{"table", "csv", "json"}

type queryOptions struct {
	sql    string
	format string
}

func (a *app) queryCmd() *cobra.Command {
	var o queryOptions
	cmd := &cobra.Command{
		Use:   "query {genres|hours|--sql STATEMENT}",
		Short: "Query the KPIs in the warehouse",
		Long: `Query the KPIs in the warehouse: genres is the genre ranking, hours the peak listening hours, --sql a query of
your own. A query changes nothing in the warehouse. --output json means --format json.

` + indent(redshift.QueryGenres()) + "\n\n" + indent(redshift.QueryHours()),
		Example: `  mss query genres
  mss query hours --format csv
  mss query --sql "SELECT top_track FROM public.kpi_table WHERE group_by = 'jazz'" --format json`,
		ValidArgs: []cobra.Completion{
			cobra.CompletionWithDesc("genres", "the genre ranking"), cobra.CompletionWithDesc("hours", "the peak listening hours")},
		Args: func(_ *cobra.Command, args []string) error { return o.complete(args) },
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			results, err := a.query(cmd.Context(), cfg, o.sql)
			if err != nil {
				return err
			}
			return writeResult(a.stdout, o.formatFor(cfg), results[0])
		}),
	}
	cmd.Flags().StringVar(&o.sql, "sql", "", "run this SQL `STATEMENT`")
	cmd.Flags().StringVar(&o.format, "format", "", "`FORMAT` of the result: "+strings.Join(formats, "|")+" (default table)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// complete turns the arguments into one statement.
func (o *queryOptions) complete(args []string) error {
	if o.format != "" && !slices.Contains(formats, o.format) {
		return fmt.Errorf("--format %q: want one of %s", o.format, strings.Join(formats, ", "))
	}
	switch {
	case len(args) > 1 || len(args) == 1 && o.sql != "":
		return errors.New("want one of genres, hours or --sql, not several")
	case len(args) == 0 && strings.TrimSpace(o.sql) == "":
		return errors.New("want genres, hours or --sql STATEMENT")
	case len(args) == 0:
	case args[0] == "genres":
		o.sql = redshift.QueryGenres()
	case args[0] == "hours":
		o.sql = redshift.QueryHours()
	default:
		return fmt.Errorf("unknown query %q: want genres, hours or --sql STATEMENT", args[0])
	}
	return nil
}

func (o *queryOptions) formatFor(cfg *config.Config) string {
	switch {
	case o.format != "":
		return o.format
	case cfg.Output == "json":
		return "json"
	}
	return "table"
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(s, "\n", "\n  ")
}

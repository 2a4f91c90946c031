package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Stamped by the linker, see the Makefile.
var version, commit, date string

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
	Go      string `json:"go"`
	OS      string `json:"platform"`
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version of mss, its commit and date, and the Go it was built with.",
		Example: "  mss version\n  mss version --output json",
		Args:    cobra.NoArgs,
		RunE: a.do(func(*cobra.Command, []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			v := buildVersion()
			if cfg.Output == "json" {
				return a.printJSON(v)
			}
			_, err = fmt.Fprintf(a.stdout, "mss %s (commit %s, %s) %s %s\n", v.Version, v.Commit, v.Date, v.Go, v.OS)
			return err
		}),
	}
}

// buildVersion is what the linker stamped, or what the Go command knows of a build by `go install`.
func buildVersion() versionInfo {
	v := versionInfo{version, commit, date, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		fill(&v.Version, info.Main.Version)
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				fill(&v.Commit, s.Value)
			case "vcs.time":
				fill(&v.Date, s.Value)
			}
		}
	}
	fill(&v.Version, "(devel)")
	fill(&v.Commit, "unknown")
	fill(&v.Date, "unknown date")
	return v
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

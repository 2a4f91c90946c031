package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"mss/internal/config"
)

// flags are the flags of all commands: --config and one for each setting.
type flags struct {
	config   string
	settings map[string]*flagValue
}

// flagValue keeps what the user wrote; config.Load parses it, as it parses the same setting from anywhere else.
type flagValue struct {
	text string
	kind config.Kind
	set  bool
}

func (v *flagValue) String() string { return v.text }
func (v *flagValue) Type() string   { return string(v.kind) }
func (v *flagValue) Set(s string) error {
	v.text, v.set = s, true
	return nil
}

func (f *flags) addTo(root *cobra.Command) {
	fs := root.PersistentFlags()
	fs.StringVar(&f.config, "config", "", "config `FILE` (default MSS_CONFIG, or mss.yaml if there is one)")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml")
	f.settings = make(map[string]*flagValue)
	for i := range config.Settings {
		s := &config.Settings[i]
		v := &flagValue{text: s.Default(), kind: s.Kind}
		help := s.Help
		if len(s.Choices) > 0 {
			help += ": " + strings.Join(s.Choices, "|")
		}
		fs.Var(v, s.Name, help)
		if s.Kind == config.Switch {
			fs.Lookup(s.Name).NoOptDefVal = "true"
		}
		if len(s.Choices) > 0 {
			_ = root.RegisterFlagCompletionFunc(s.Name, cobra.FixedCompletions(s.Choices, cobra.ShellCompDirectiveNoFileComp))
		}
		f.settings[s.Name] = v
	}
}

// given are the settings that the command line sets.
func (f *flags) given() map[string]string {
	given := make(map[string]string)
	for name, v := range f.settings {
		if v.set {
			given[name] = v.text
		}
	}
	return given
}

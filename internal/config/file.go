package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// DefaultFile is the config file that is read when it exists and no other is named.
const DefaultFile = "mss.yaml"

// fileValue is a setting as the config file has it.
type fileValue struct {
	text string
	line int
}

// readFile reads the config file: its settings by name, and the name of the file, "" when there is none.
func readFile(named string) (map[string]fileValue, string, error) {
	name := named
	if name == "" {
		name = DefaultFile
	}
	data, err := os.ReadFile(name)
	if named == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the config file: %w", err)
	}
	values, err := parseFile(data)
	if err != nil {
		return values, name, fmt.Errorf("config file %s: %w", name, err)
	}
	return values, name, nil
}

// parseFile takes the settings from a flat YAML mapping. It is strict: a misspelt key must not go unnoticed. What
// is right is returned also when something else is wrong.
func parseFile(data []byte) (map[string]fileValue, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil // nothing but comments
	} else if err != nil {
		return nil, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one YAML document, there are more")
	}
	top := doc.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return nil, nil
	}
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: want lines of the form setting: value", top.Line)
	}
	values := make(map[string]fileValue)
	var errs []error
	for i := 0; i < len(top.Content); i += 2 {
		key, val := top.Content[i], top.Content[i+1]
		if val.Kind == yaml.AliasNode {
			val = val.Alias
		}
		// The contract writes max_reject_ratio, the flag is --max-reject-ratio: both spell one setting.
		name := strings.ReplaceAll(key.Value, "_", "-")
		before, twice := values[name]
		switch {
		case Find(name) == nil:
			errs = append(errs, fmt.Errorf("line %d: unknown setting %q; the settings are %s", key.Line, key.Value, names()))
		case twice:
			errs = append(errs, fmt.Errorf("line %d: %s is set twice, first in line %d", key.Line, key.Value, before.line))
		case val.Kind != yaml.ScalarNode:
			errs = append(errs, fmt.Errorf("line %d: %s takes one value, not a list or mapping", key.Line, key.Value))
		case val.Tag == "!!null":
			errs = append(errs, fmt.Errorf("line %d: %s has no value; remove the line, or write \"\" for none", key.Line, key.Value))
		default:
			values[name] = fileValue{val.Value, key.Line}
		}
	}
	return values, errors.Join(errs...)
}

// Find is the setting of that name, or nil.
func Find(name string) *Setting {
	for i := range Settings {
		if Settings[i].Name == name {
			return &Settings[i]
		}
	}
	return nil
}

func names() string {
	var all []string
	for i := range Settings {
		all = append(all, Settings[i].Name)
	}
	sort.Strings(all)
	return strings.Join(all, ", ")
}

package cli

import (
	"encoding/json"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// printJSON writes a document for programs to stdout.
func (a *app) printJSON(v any) error { return writeDocument(a.stdout, v) }

// writeDocument writes a JSON document, indented, since people read it too.
func writeDocument(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// newTable is a table in the style of all of mss.
func newTable() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header = text.FormatDefault // column names as they are, not in capitals
	return t
}

// printable replaces control characters: data must neither break the table nor command the terminal.
func printable(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return '�'
		}
		return r
	}, s)
}

func unprintable(r rune) bool {
	// Format characters can reorder the line (U+202E), but the joiners are part of ordinary text.
	return unicode.IsControl(r) || (unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d')
}

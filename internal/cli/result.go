package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// resultWriter prints the rows of a query in one format. A nil value is NULL.
type resultWriter interface {
	Row(values []any) error
	Close() error
}

func newResultWriter(w io.Writer, format string, columns []string) (resultWriter, error) {
	switch format {
	case "csv":
		c := &csvResult{out: w, w: csv.NewWriter(w)}
		return c, c.write(columns)
	case "json":
		return newJSONResult(w, columns)
	}
	return &tableResult{w: w, columns: columns}, nil
}

// csvResult is RFC 4180, with NULL as an empty field.
type csvResult struct {
	out io.Writer
	w   *csv.Writer
}

func (c *csvResult) Row(values []any) error {
	record := make([]string, len(values))
	for i, v := range values {
		if v != nil {
			record[i] = plain(v)
		}
	}
	return c.write(record)
}

func (c *csvResult) write(record []string) error {
	if len(record) != 1 || record[0] != "" {
		return c.w.Write(record)
	}
	// encoding/csv writes one empty field as an empty line, which readers take for no row.
	c.w.Flush()
	_, err := io.WriteString(c.out, "\"\"\n")
	return err
}

func (c *csvResult) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// jsonResult is one array of objects, keyed by column name, in the order of the columns.
type jsonResult struct {
	w    *bufio.Writer
	keys [][]byte
	rows int
}

func newJSONResult(w io.Writer, columns []string) (resultWriter, error) {
	j := &jsonResult{w: bufio.NewWriter(w)}
	seen := make(map[string]bool)
	for _, c := range columns {
		if seen[c] {
			return nil, usageError{fmt.Errorf("the result has two columns %q, which JSON cannot tell apart; rename one with AS", c)}
		}
		seen[c] = true
		key, err := marshal(c)
		if err != nil {
			return nil, err
		}
		j.keys = append(j.keys, key)
	}
	return j, nil
}

func (j *jsonResult) Row(values []any) error {
	start := "[\n  {"
	if j.rows > 0 {
		start = ",\n  {"
	}
	j.rows++
	j.w.WriteString(start) // a bufio.Writer keeps its first error for Flush
	for i, v := range values {
		val, err := marshal(jsonValue(v))
		if err != nil {
			return err
		}
		if i > 0 {
			j.w.WriteString(", ")
		}
		j.w.Write(j.keys[i])
		j.w.WriteString(": ")
		j.w.Write(val)
	}
	return j.w.WriteByte('}')
}

func (j *jsonResult) Close() error {
	end := "\n]\n"
	if j.rows == 0 {
		end = "[]\n"
	}
	j.w.WriteString(end)
	return j.w.Flush()
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// jsonValue keeps what JSON has a form for; the rest is text.
func jsonValue(v any) any {
	switch v := v.(type) {
	case nil, bool, string, int, int16, int32, int64, json.Number:
		return v
	case float32:
		return jsonValue(float64(v))
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v
		}
	}
	return plain(v)
}

// plain is a value in full, for other programs.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case time.Time:
		if v.Location() == time.UTC {
			return v.Format("2006-01-02 15:04:05.999999")
		}
		return v.Format("2006-01-02 15:04:05.999999Z07:00")
	}
	return fmt.Sprint(v)
}

// tableResult is for people: aligned, rounded, all rows held until the widths are known.
type tableResult struct {
	w       io.Writer
	columns []string
	rows    [][]any
}

func (t *tableResult) Row(values []any) error {
	t.rows = append(t.rows, append([]any{}, values...))
	return nil
}

func (t *tableResult) Close() error {
	rows := "rows"
	if len(t.rows) == 1 {
		rows = "row"
	}
	_, err := fmt.Fprintf(t.w, "%s\n(%d %s)\n", renderRows(t.columns, t.rows, 0), len(t.rows), rows)
	return err
}

// renderRows makes a table; texts wider than width are cut, unless that is 0.
func renderRows(columns []string, rows [][]any, width int) string {
	t := newTable()
	head := make(table.Row, len(columns))
	configs := make([]table.ColumnConfig, len(columns))
	for i, c := range columns {
		head[i] = printable(c)
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: width,
			WidthMaxEnforcer: func(s string, n int) string { return text.Snip(s, n, "…") }}
		if numeric(rows, i) {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(configs)
	for _, values := range rows {
		row := make(table.Row, len(values))
		for i, v := range values {
			row[i] = readable(v)
		}
		t.AppendRow(row)
	}
	return t.Render()
}

// numeric tells whether a column holds numbers: numbers and NULLs, or, as group_by of hours, texts of digits.
func numeric(rows [][]any, column int) bool {
	found := false
	for _, values := range rows {
		switch v := values[column].(type) {
		case nil:
			continue
		case int, int16, int32, int64, float32, float64:
		case string:
			if _, err := strconv.ParseInt(v, 10, 64); err != nil {
				return false
			}
		default:
			return false
		}
		found = true
	}
	return found
}

// readable is a value for a table: four decimals, and nothing that moves the cursor.
func readable(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case float32:
		return readable(float64(v))
	case float64:
		if a := math.Abs(v); v == 0 || (a >= 0.0001 && a < 1e15) {
			return strconv.FormatFloat(v, 'f', 4, 64)
		}
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return printable(plain(v))
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

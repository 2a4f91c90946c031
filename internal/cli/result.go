package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"mss/internal/redshift"
)

// writeResult prints the result of a query as a table, CSV or JSON. A nil value is NULL.
func writeResult(w io.Writer, format string, t *redshift.Table) (err error) {
	out := bufio.NewWriter(w) // keeps its first error for Flush
	switch format {
	case "csv":
		err = writeCSV(out, t)
	case "json":
		err = writeJSON(out, t)
	default:
		writeTable(out, t)
	}
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// writeCSV writes RFC 4180, with NULL as an empty field.
func writeCSV(out *bufio.Writer, t *redshift.Table) error {
	w := csv.NewWriter(out)
	if err := w.Write(t.Columns); err != nil {
		return err
	}
	record := make([]string, len(t.Columns))
	for _, values := range t.Rows {
		for i, v := range values {
			record[i] = ""
			if v != nil {
				record[i] = plain(v)
			}
		}
		if len(record) == 1 && record[0] == "" {
			// encoding/csv writes one empty field as an empty line, which readers take for no row.
			w.Flush()
			out.WriteString("\"\"\n")
			continue
		}
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// writeJSON writes one array of objects, keyed by column name, in the order of the columns.
func writeJSON(out *bufio.Writer, t *redshift.Table) error {
	var keys [][]byte
	for i, c := range t.Columns {
		if slices.Contains(t.Columns[:i], c) {
			return usageError{fmt.Errorf("the result has two columns %q, which JSON cannot tell apart; rename one with AS", c)}
		}
		key, err := marshal(c)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	out.WriteByte('[')
	for n, values := range t.Rows {
		if n > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n  {")
		for i, v := range values {
			val, err := marshal(jsonValue(v))
			if err != nil {
				return err
			}
			if i > 0 {
				out.WriteString(", ")
			}
			out.Write(keys[i])
			out.WriteString(": ")
			out.Write(val)
		}
		out.WriteByte('}')
	}
	if len(t.Rows) > 0 {
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	return nil
}

// writeTable writes for people: aligned, and rounded to what an eye takes in.
func writeTable(out *bufio.Writer, t *redshift.Table) {
	rows := "rows"
	if len(t.Rows) == 1 {
		rows = "row"
	}
	fmt.Fprintf(out, "%s\n(%d %s)\n", renderRows(t.Columns, t.Rows, 0), len(t.Rows), rows)
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
	case nil, bool, string, int64, json.Number:
		return v
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
	case json.Number:
		return v.String()
	case []byte:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.Format("2006-01-02 15:04:05.999999")
	}
	return fmt.Sprint(v)
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
		case int64, float64, json.Number:
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
	case float64:
		if a := math.Abs(v); v == 0 || (a >= 0.0001 && a < 1e15) {
			return strconv.FormatFloat(v, 'f', 4, 64)
		}
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return printable(plain(v))
}

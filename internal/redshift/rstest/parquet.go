package rstest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/parquet-go/parquet-go"
)

// target is a table that COPY fills: the columns that it names, in that order.
type target []column

type column struct {
	name, kind string // kind as information_schema has it
	width      int    // of a text, in bytes
}

func (t target) names() (names []string) {
	for _, c := range t {
		names = append(names, c.name)
	}
	return names
}

// describe looks the columns of c up, by the session itself: it may have made the table just now.
func (s *session) describe(c copyCommand) (target, error) {
	name := c.table[strings.LastIndex(c.table, ".")+1:]
	if _, err := s.server.Conn.Write(query("SELECT column_name, data_type, COALESCE(character_maximum_length, 0) FROM information_schema.columns " +
		"WHERE table_name = '" + name + "' ORDER BY ordinal_position")); err != nil {
		return nil, err
	}
	rows, err := s.collect()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, &pgconn.PgError{Code: "42P01", Message: `relation "` + c.table + `" does not exist`}
	}
	all := make(map[string]column)
	var t target
	for _, row := range rows {
		width, err := strconv.Atoi(row[2])
		if err != nil {
			return nil, err
		}
		all[row[0]] = column{row[0], row[1], width}
		t = append(t, all[row[0]])
	}
	if c.columns == nil {
		return t, nil
	}
	t = nil
	for _, name := range c.columns {
		if _, ok := all[name]; !ok {
			return nil, &pgconn.PgError{Code: "42703", Message: `column "` + name + `" of relation does not exist`}
		}
		t = append(t, all[name])
	}
	return t, nil
}

// kinds are the pairs of types that are sure to be taken.
var kinds = map[string]parquet.Kind{"bigint": parquet.Int64, "double precision": parquet.Double, "character varying": parquet.ByteArray}

// read appends the rows of a Parquet file in PostgreSQL's text format, and counts them.
func (t target) read(name string, data []byte, text *strings.Builder) (rows int, err error) {
	spectrum := func(column string, code int, context string) error {
		return &loadError{PgError: internalError("Spectrum Scan Error", strconv.Itoa(code), context), file: name, column: column, code: code, message: context}
	}
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return 0, spectrum("", 15007, "File '"+name+"' is not a Parquet file")
	}
	fields := file.Root().Columns()
	if len(fields) != len(t) {
		return 0, spectrum("", 15007, fmt.Sprintf("Unmatched number of columns between table and file. Table columns: %d, Data columns: %d, File name: %s",
			len(t), len(fields), name))
	}
	for i, c := range t {
		kind, ok := kinds[c.kind]
		isText := kind == parquet.ByteArray
		if !ok || !fields[i].Leaf() || fields[i].Repeated() || fields[i].Type().Kind() != kind || isText && fields[i].Type().String() != "STRING" {
			return 0, spectrum(c.name, 15007, fmt.Sprintf("File '%s' has an incompatible Parquet schema for column '%s'. Column type: %s, Parquet schema:\n%s",
				name, c.name, strings.ToUpper(c.kind), fields[i].Type()))
		}
	}
	for _, group := range file.RowGroups() {
		n, err := t.readGroup(group, text, func(c column, length int) error {
			return spectrum(c.name, 15001, fmt.Sprintf("The length of the data column %s is longer than the length defined in the table. Table: %d, Data: %d, File name: %s",
				c.name, c.width, length, name))
		})
		if err != nil {
			return rows, err
		}
		rows += n
	}
	return rows, nil
}

// escape is for the text format of PostgreSQL's COPY.
var escape = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

func (t target) readGroup(group parquet.RowGroup, text *strings.Builder, tooLong func(column, int) error) (n int, err error) {
	rows := group.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 64)
	for {
		count, err := rows.ReadRows(buffer)
		for _, row := range buffer[:count] {
			for i, v := range row {
				if i > 0 {
					text.WriteByte('\t')
				}
				switch {
				case v.IsNull():
					text.WriteString(`\N`)
				case v.Kind() == parquet.ByteArray:
					if len(v.ByteArray()) > t[i].width {
						return n, tooLong(t[i], len(v.ByteArray()))
					}
					text.WriteString(escape.Replace(string(v.ByteArray())))
				case v.Kind() == parquet.Double:
					text.WriteString(strconv.FormatFloat(v.Double(), 'g', -1, 64))
				default:
					text.WriteString(strconv.FormatInt(v.Int64(), 10))
				}
			}
			text.WriteByte('\n')
			n++
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

package rstest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// copyCommand is COPY table (columns) FROM 's3://bucket/prefix' IAM_ROLE role FORMAT AS PARQUET.
type copyCommand struct {
	table   string // lower case, with its schema if that was given
	columns []string
	bucket  string
	prefix  string
	refuse  *pgconn.PgError
}

var arn = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)

// parseCopy is false for another statement.
func parseCopy(sql string) (c copyCommand, ok bool) {
	statements := split(sql)
	if len(statements) != 1 || statements[0][0] != "COPY" {
		return c, false
	}
	rest := afterName(statements[0], "COPY")
	for _, t := range statements[0][1 : len(statements[0])-len(rest)] {
		c.table += strings.ToLower(string(t))
	}
	near := func(rest []token) (copyCommand, bool) {
		at := "end of input"
		if len(rest) > 0 {
			at = string(rest[0])
		}
		c.refuse = syntaxError(fmt.Sprintf("syntax error at or near %q", at))
		return c, true
	}
	if has(rest, "(") {
		for rest = rest[1:]; len(rest) > 1 && rest[0].isName() && (rest[1] == "," || rest[1] == ")"); rest = rest[2:] {
			c.columns = append(c.columns, strings.ToLower(string(rest[0])))
			if rest[1] == ")" {
				break
			}
		}
		if len(rest) < 2 || rest[1] != ")" {
			return near(rest)
		}
		rest = rest[2:]
	}
	if !has(rest, "FROM") || len(rest) < 2 || !rest[1].isText() {
		return near(rest)
	}
	uri := rest[1].text()
	if rest = rest[2:]; !has(rest, "IAM_ROLE") || len(rest) < 2 {
		return near(rest)
	}
	if role := rest[1]; role != "DEFAULT" && !arn.MatchString(role.text()) {
		c.refuse = &pgconn.PgError{Code: "XX000", Message: "Invalid IAM role: " + role.text()}
		return c, true
	}
	if rest = rest[2:]; has(rest, "FORMAT AS PARQUET") {
		rest = rest[3:]
	} else if has(rest, "FORMAT PARQUET") {
		rest = rest[2:]
	} else {
		return near(rest)
	}
	if len(rest) > 0 {
		c.refuse = notSupported(fmt.Sprintf("%s argument is not supported for PARQUET based COPY", rest[0]))
		return c, true
	}
	var isS3 bool
	if uri, isS3 = strings.CutPrefix(uri, "s3://"); !isS3 {
		c.refuse = notSupported("COPY from other places than S3 is not supported")
	}
	c.bucket, c.prefix, _ = strings.Cut(uri, "/")
	return c, true
}

// copy carries out a COPY. It is false when the connection is to end.
func (s *session) copy(c copyCommand, simple, reply bool) bool {
	switch {
	case c.refuse != nil:
		return s.fail(c.refuse, false)
	case !simple:
		return s.fail(notSupported("COPY of Parquet by the extended protocol is reported to fail"), false)
	}
	n, err := s.load(c)
	if err != nil {
		var failed *pgconn.PgError
		var wrong *loadError
		switch {
		case errors.As(err, &wrong):
			if err := s.keep(wrong); err != nil {
				return s.fail(asPgError(err), false)
			}
			failed = wrong.PgError
		default:
			failed = asPgError(err)
		}
		return s.fail(failed, false) && reply
	}
	if !reply {
		return false
	}
	s.client.Send(&pgproto3.NoticeResponse{Severity: "INFO", Code: "00000",
		Message: fmt.Sprintf("Load into table '%s' completed, %d record(s) loaded successfully.", c.table, n)})
	s.client.Send(&pgproto3.CommandComplete{CommandTag: []byte("COPY")})
	s.client.Send(&pgproto3.ReadyForQuery{TxStatus: s.state})
	return s.client.Flush() == nil
}

// load reads all objects under the prefix, and then puts their rows into the table, in the transaction of the session.
func (s *session) load(c copyCommand) (rows int, err error) {
	ctx := context.Background()
	bucket, ok := s.proxy.opt.Buckets[c.bucket]
	if !ok {
		return 0, internalError("S3ServiceException:The specified bucket does not exist", "8001", c.bucket)
	}
	table, err := s.describe(c)
	if err != nil {
		return 0, err
	}
	objects, err := bucket.List(ctx, c.prefix)
	if err != nil {
		return 0, err
	}
	if len(objects) == 0 {
		return 0, internalError("The specified S3 prefix '"+c.prefix+"' does not exist", "8001", "")
	}
	var text strings.Builder
	for _, object := range objects {
		data, _, err := bucket.ReadAll(ctx, object.Key)
		if err != nil {
			return 0, err
		}
		n, err := table.read("s3://"+c.bucket+"/"+object.Key, data, &text)
		if err != nil {
			return 0, err
		}
		rows += n
	}
	names := strings.Join(table.names(), ", ")
	return rows, s.copyIn("COPY "+c.table+" ("+names+") FROM STDIN", text.String())
}

// copyIn is PostgreSQL's own COPY of rows in its text format.
func (s *session) copyIn(sql, text string) error {
	packet := query(sql)
	for _, message := range []pgproto3.FrontendMessage{&pgproto3.CopyData{Data: []byte(text)}, &pgproto3.CopyDone{}} {
		var err error
		if packet, err = message.Encode(packet); err != nil {
			return err
		}
	}
	if _, err := s.server.Conn.Write(packet); err != nil {
		return err
	}
	_, err := s.collect()
	return err
}

// collect reads an answer of the server's up to ReadyForQuery: the rows, as text.
func (s *session) collect() (rows [][]string, failed error) {
	for {
		message, err := s.server.Frontend.Receive()
		if err != nil {
			return nil, err
		}
		switch m := message.(type) {
		case *pgproto3.DataRow:
			var row []string
			for _, v := range m.Values {
				row = append(row, string(v))
			}
			rows = append(rows, row)
		case *pgproto3.ErrorResponse:
			asRedshift(m)
			failed = &pgconn.PgError{Code: m.Code, Message: m.Message, Detail: m.Detail}
		case *pgproto3.ReadyForQuery:
			s.state = m.TxStatus
			return rows, failed
		}
	}
}

package rstest

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

func syntaxError(message string) *pgconn.PgError {
	return &pgconn.PgError{Code: "42601", Message: message}
}

func notSupported(message string) *pgconn.PgError {
	return &pgconn.PgError{Code: "0A000", Message: message}
}

// internalError is one of Redshift's compute nodes: all have the same SQLSTATE, and the words are in the detail.
func internalError(message, code, context string) *pgconn.PgError {
	rule := "\n  -----------------------------------------------\n"
	return &pgconn.PgError{Code: "XX000", Message: message,
		Detail: rule + "  error:  " + message + "\n  code:      " + code + "\n  context:   " + context +
			"\n  query:     1234\n  location:  rstest\n  process:   padbmaster [pid=1]" + rule}
}

func asPgError(err error) *pgconn.PgError {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		e = &pgconn.PgError{Code: "XX000", Message: err.Error()}
	}
	return e
}

// asResponse is err as a message of the protocol.
func asResponse(err error, severity string) *pgproto3.ErrorResponse {
	e := asPgError(err)
	return &pgproto3.ErrorResponse{Severity: severity, Code: e.Code, Message: e.Message, Detail: e.Detail}
}

// asRedshift makes Redshift's of an error of PostgreSQL.
func asRedshift(m *pgproto3.ErrorResponse) {
	var e *pgconn.PgError
	switch m.Code {
	case "22001":
		e = internalError("Value too long for character type", "8001", m.Message)
	case "40001":
		e = Conflict
	default:
		return
	}
	m.Code, m.Message, m.Detail = e.Code, e.Message, e.Detail
}

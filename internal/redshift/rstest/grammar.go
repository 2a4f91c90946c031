package rstest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// lacking are words in a row that PostgreSQL understands and Redshift does not.
var lacking = []string{"ON CONFLICT", "RETURNING", "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "FROM STDIN", "( VALUES", "FOR UPDATE",
	"FOR SHARE", "ARRAY [", "ROLLBACK TO", "CREATE INDEX", "CREATE UNIQUE INDEX", "CHECK (", "STRING_AGG ("}

// lackingTypes have no like in Redshift.
var lackingTypes = []token{"JSON", "JSONB", "UUID", "BYTEA", "SERIAL", "BIGSERIAL", "MONEY", "INET"}

// refusal is Redshift's error of statements that PostgreSQL would carry out, nil for others.
func refusal(sql string) *pgconn.PgError {
	if len(sql) > maxText {
		return syntaxError(fmt.Sprintf("Statement is too large. Statement Size: %d bytes. Maximum Allowed: %d bytes", len(sql), maxText))
	}
	for _, statement := range split(sql) {
		for i := range statement {
			for _, words := range lacking {
				if has(statement[i:], words) {
					return syntaxError(fmt.Sprintf("syntax error at or near %q", statement[i]))
				}
			}
			if slices.Contains(lackingTypes, statement[i]) {
				return notSupported(fmt.Sprintf("type %q does not exist", strings.ToLower(string(statement[i]))))
			}
			if statement[i] == "E" && i+1 < len(statement) && statement[i+1].isText() {
				return syntaxError(`type "e" does not exist`)
			}
		}
		if e := refuseForm(statement); e != nil {
			return e
		}
	}
	return nil
}

// refuseForm looks at the kind of statement.
func refuseForm(statement []token) *pgconn.PgError {
	switch statement[0] {
	case "SAVEPOINT", "RELEASE":
		return notSupported(fmt.Sprintf("SQL command %q not supported.", statement[0]))
	case "WITH":
		depth := 0
		for _, t := range statement {
			switch t {
			case "(":
				depth++
			case ")":
				depth--
			case "INSERT", "UPDATE", "DELETE", "MERGE":
				if depth == 0 {
					return syntaxError(fmt.Sprintf("syntax error at or near %q", t))
				}
			}
		}
	case "DELETE":
		rest := afterName(statement, "DELETE", "FROM")
		if len(rest) > 0 && rest[0] != "USING" && rest[0] != "WHERE" {
			return syntaxError(fmt.Sprintf("syntax error at or near %q", rest[0]))
		}
	case "LOCK":
		rest := afterName(statement, "LOCK", "TABLE")
		if slices.Contains(rest, "IN") || slices.Contains(rest, "NOWAIT") {
			return syntaxError(`syntax error at or near "IN"`)
		}
	case "MERGE":
		return refuseMerge(statement)
	case "SET":
		if slices.Contains(statement, "STANDARD_CONFORMING_STRINGS") {
			return &pgconn.PgError{Code: "42704", Message: `unrecognized configuration parameter "standard_conforming_strings"`}
		}
	}
	return nil
}

// refuseMerge lets MERGE INTO t USING s ON … WHEN MATCHED THEN … WHEN NOT MATCHED THEN INSERT … pass, and nothing else.
func refuseMerge(statement []token) *pgconn.PgError {
	rest := afterName(statement, "MERGE", "INTO")
	if len(rest) < 2 || rest[0] != "USING" || rest[1] == "(" {
		return syntaxError("MERGE takes no alias of its target, and a table as its source")
	}
	matched, missing := 0, 0
	for i := range rest {
		if has(rest[i:], "WHEN MATCHED THEN UPDATE") || has(rest[i:], "WHEN MATCHED THEN DELETE") {
			matched++
		} else if has(rest[i:], "WHEN NOT MATCHED THEN INSERT") {
			missing++
		} else if rest[i] == "WHEN" {
			return syntaxError("MERGE knows WHEN MATCHED THEN UPDATE or DELETE, and WHEN NOT MATCHED THEN INSERT")
		}
	}
	if matched != 1 || missing != 1 {
		return syntaxError("MERGE wants one WHEN MATCHED and one WHEN NOT MATCHED")
	}
	return nil
}

// has tells whether a statement begins with the words.
func has(statement []token, words string) bool {
	for i, word := range strings.Fields(words) {
		if i >= len(statement) || string(statement[i]) != word {
			return false
		}
	}
	return true
}

// afterName is what follows the name of a table, which follows the words; those are optional.
func afterName(statement []token, words ...token) []token {
	for _, word := range words {
		if len(statement) > 0 && statement[0] == word {
			statement = statement[1:]
		}
	}
	if len(statement) > 0 && statement[0].isName() {
		statement = statement[1:]
		if len(statement) > 1 && statement[0] == "." {
			statement = statement[2:]
		}
	}
	return statement
}

func isCommit(sql string) bool {
	statements := split(sql)
	return len(statements) == 1 && (statements[0][0] == "COMMIT" || statements[0][0] == "END")
}

package redshift

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// inWords adds to a failed COPY what Redshift says of it elsewhere than in the message, which is as short as
// "Spectrum Scan Error". The transaction is over by now, as the system views want.
func (l *loading) inWords(ctx context.Context, s session, err error) error {
	var e *pgconn.PgError
	if l.uploaded == "" || !errors.As(err, &e) || ctx.Err() != nil || l.w.dialect.conflict(err) {
		return err
	}
	// Serverless workgroups have the first view only, old clusters the second.
	for _, sql := range []string{loadErrorSQL(l.uploaded), clusterLoadErrorSQL(l.uploaded)} {
		var words []string
		failed := s.query(ctx, sql, func([]string) error { return nil }, func(values []any) error {
			for i, what := range []string{"file", "column", "code", ""} {
				if v := strings.TrimSpace(fmt.Sprint(values[i])); values[i] != nil && v != "" && v != "0" {
					words = append(words, strings.TrimSpace(what+" "+v))
				}
			}
			return nil
		})
		if failed == nil && len(words) > 0 {
			return fmt.Errorf("%w; the load error: %s", err, strings.Join(words, ", "))
		}
	}
	return err
}

// contextLine is the line of a detail that has the words of an error of the compute nodes; code: is a line above.
var contextLine = regexp.MustCompile(`(?s)\n\s*code:\s*(\d+)\s*\n\s*context:\s*(.*?)\s*\n\s*query:`)

// redshiftDetail is what the detail of an error of Redshift says, on one line.
func redshiftDetail(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return ""
	}
	if found := contextLine.FindStringSubmatch(e.Detail); found != nil && found[2] != "" {
		return strings.Join(strings.Fields(found[2]), " ") + " (code " + found[1] + ")"
	}
	return ""
}

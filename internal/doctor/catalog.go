package doctor

import (
	"context"
	"strings"

	"mss/internal/catalog"
)

// catalog tries the rights on the tables. It is one line when all is well.
func (e *examination) catalog(ctx context.Context) {
	if e.Catalog == nil {
		return
	}
	var done []string
	e.Catalog.Probe(ctx, catalog.Database, func(action string, err error) {
		if err == nil {
			done = append(done, strings.TrimPrefix(action, "glue:"))
			return
		}
		f := e.failure("catalog", strings.TrimPrefix(action, "glue:"), action, e.Needs.TableARN(catalog.ProbeTable), err)
		if f.Missing == nil && action == "glue:CreateTable" {
			f.Missing = []string{"database " + catalog.Database}
			f.Remedy = "create it: deploy/mss.yaml has it, else `aws glue create-database --database-input Name=" + catalog.Database +
				"`; where there was a run already, `mss catalog sync` by someone who may glue:CreateDatabase does so too"
		}
		e.add(f)
	})
	if len(done) > 0 {
		e.ok("catalog", "tables", "rights to %s", strings.Join(done, ", "))
	}
}

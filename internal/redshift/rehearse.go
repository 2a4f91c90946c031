package redshift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// rehearsalType is the kpi_type of the row that Rehearse loads; mss owns no rows of it.
const rehearsalType = "mss_doctor"

// Rehearse does what a load does, with one row, and rolls all of it back: the tables are created where they are absent,
// staging is filled and counted, rows are deleted and inserted. Where loads copy, so does the rehearsal, from an object
// that it removes. Nothing of it is ever seen.
func (w *Warehouse) Rehearse(ctx context.Context) error {
	l := &loading{w: w, want: []record{{kpiType: rehearsalType}}}
	defer l.tidy(ctx)
	if err := l.upload(ctx); err != nil {
		return fmt.Errorf("rehearse a load in %s: %w", w.name, err)
	}
	err := w.retry(ctx, "rehearse a load", w.again, func() error {
		return w.with(ctx, func(s session) error {
			found, err := w.tables(ctx, s) // ahead of the transaction, whose snapshot waits for the lock
			if err != nil {
				return err
			}
			if err := s.exec(ctx, w.dialect.begin); err != nil {
				return err
			}
			err = l.rehearse(ctx, s, found)
			clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if undone := s.exec(clean, "ROLLBACK"); undone != nil {
				return errors.Join(err, undone)
			}
			return l.inWords(ctx, s, err)
		})
	})
	if err != nil {
		return w.explain(ctx, "rehearse a load in", err)
	}
	return nil
}

func (l *loading) rehearse(ctx context.Context, s session, found map[string]bool) error {
	w := l.w
	for _, table := range ownTables {
		if !found[table] {
			if err := s.exec(ctx, createSQL(table)); err != nil {
				return err
			}
		}
	}
	if err := w.lock(ctx, s, false); err != nil {
		return err
	}
	if err := s.exec(ctx, clearStagingSQL); err != nil {
		return err
	}
	if _, err := readFence(ctx, s, rehearsalType); err != nil {
		return err
	}
	if err := writeFence(ctx, s, rehearsalType, fence{}); err != nil {
		return err
	}
	if err := l.stage(ctx, s); err != nil {
		return err
	}
	for _, sql := range append(deleteStagedSQL[:len(deleteStagedSQL):len(deleteStagedSQL)], publishSQL, clearStagingSQL) {
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// Grants lists, as the statements that would grant them, the rights that the user lacks for loads: on the tables, or,
// where they are absent, to create them. SQLite knows no grants.
func (w *Warehouse) Grants(ctx context.Context) (missing []string, err error) {
	if w.dialect.lock == "" {
		return nil, nil
	}
	err = w.with(ctx, func(s session) error {
		found, err := w.tables(ctx, s)
		if err != nil {
			return err
		}
		wanted := []string{"USAGE"}
		if slices.ContainsFunc(ownTables, func(table string) bool { return !found[table] }) {
			wanted = append(wanted, "CREATE")
		}
		lacks, err := lacking(ctx, s, "has_schema_privilege", "public", wanted)
		if err != nil {
			return err
		}
		if len(lacks) > 0 {
			missing = append(missing, "GRANT "+strings.Join(lacks, ", ")+" ON SCHEMA public")
		}
		for _, table := range ownTables {
			if !found[table] {
				continue
			}
			lacks, err := lacking(ctx, s, "has_table_privilege", "public."+table, []string{"SELECT", "INSERT", "DELETE"})
			if err != nil {
				return err
			}
			if len(lacks) > 0 {
				missing = append(missing, "GRANT "+strings.Join(lacks, ", ")+" ON public."+table)
			}
		}
		return nil
	})
	if err != nil {
		return nil, w.explain(ctx, "read the grants in", err)
	}
	return missing, nil
}

// lacking asks for each privilege on an object whether the user has it. function is Redshift's and PostgreSQL's.
func lacking(ctx context.Context, s session, function, object string, privileges []string) ([]string, error) {
	var lacks []string
	for _, p := range privileges {
		err := s.query(ctx, "SELECT "+function+"('"+object+"', '"+p+"')", func([]string) error { return nil }, func(values []any) error {
			if has, ok := values[0].(bool); !ok || !has {
				lacks = append(lacks, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return lacks, nil
}

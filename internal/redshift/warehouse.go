package redshift

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"mss/internal/kpi"
	"mss/internal/redshift/iamurl"
)

// Warehouse holds kpi_table. Its methods may be called concurrently.
type Warehouse struct {
	name       string // the URL, masked
	dialect    dialect
	connect    func(context.Context) (session, error)
	log        *slog.Logger
	copy       *copier       // nil where rows are inserted
	firstDelay time.Duration // before the first repetition
	patience   patience      // of loads with each other

	mu        sync.Mutex
	idle      session
	idleSince time.Time
	closed    bool
}

var _ kpi.Warehouse = (*Warehouse)(nil)

// Options are the choices of Open.
type Options struct {
	// Log takes warnings, as of texts that are cut. The default is slog.Default().
	Log *slog.Logger
	// ReadOnly opens a warehouse to be queried: it creates neither a database file nor tables, and needs no right
	// to. Load still works where they exist.
	ReadOnly bool
	// Secret is the id or ARN of a secret of Secrets Manager that holds the login to a postgres:// or redshift://
	// warehouse, and what the URL leaves out of host, port and database. "" is none.
	Secret string
	// Profile is the AWS profile for the secret, and for redshift-iam://.
	Profile string
	// Copy says how the rows of a load get to Redshift.
	Copy CopyOptions
}

// Open connects to the warehouse that url names: sqlite:PATH, postgres:// (or postgresql://), or redshift://. Unless
// opt.ReadOnly is set it creates public.kpi_table, public.kpi_staging and public.mss_fence where they are absent.
//
// A redshift:// URL verifies the server's certificate (sslmode=verify-full) and goes to port 5439 unless it says
// otherwise. Connecting is tried for 5 minutes on Redshift, which resumes from idle meanwhile, and for 15 seconds
// on PostgreSQL, or as long as the URL's connect_timeout says, in seconds; a refused login ends it at once. The
// environment variables of libpq (PGPASSWORD, PGSSLROOTCERT, …) stand in for what the URL leaves out.
//
// A redshift-iam:// URL (see package iamurl) is a redshift:// URL whose login, host and port AWS tells. They, and
// those of opt.Secret, are fetched anew for each connection, and not kept.
//
// An unusable URL gives an error that wraps ErrURL, a COPY that lacks something one that wraps ErrCopy.
func Open(ctx context.Context, url string, opt Options) (*Warehouse, error) {
	w := &Warehouse{name: MaskURL(url), log: opt.Log, firstDelay: firstDelay}
	if w.log == nil {
		w.log = slog.Default()
	}
	var err error
	switch {
	case opt.Secret != "":
		err = w.useSecret(ctx, url, opt)
	case strings.HasPrefix(url, iamurl.Scheme):
		err = w.useIAM(ctx, url, opt)
	case strings.HasPrefix(url, "sqlite:"):
		err = w.useSQLite(url, opt)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = w.usePostgres(url)
	case strings.HasPrefix(url, "redshift://"):
		err = w.useRedshift(url)
	default:
		err = fmt.Errorf("%w %q: %s", ErrURL, w.name, wantURL)
	}
	if err == nil && w.dialect.copies {
		w.copy, err = newCopier(opt.Copy)
	}
	if err != nil {
		return nil, err
	}
	w.patience = w.dialect.patience
	if err := w.open(ctx, opt); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *Warehouse) open(ctx context.Context, opt Options) error {
	if !opt.ReadOnly {
		return w.ensureTables(ctx)
	}
	return w.with(ctx, func(s session) error { return s.ping(ctx) })
}

// Close gives the connection back.
func (w *Warehouse) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.idle != nil {
		w.idle.close()
		w.idle = nil
	}
	return nil
}

// ensureTables looks before it creates: CREATE TABLE IF NOT EXISTS wants the right to create even where it does nothing.
func (w *Warehouse) ensureTables(ctx context.Context) error {
	again := func(err error) bool { return w.again(err) || w.dialect.raced(err) }
	err := w.retry(ctx, "create the tables", again, func() error {
		return w.with(ctx, func(s session) error { return w.createMissing(ctx, s) })
	})
	if err != nil {
		return w.explain(ctx, "prepare public.kpi_table, public.kpi_staging and public.mss_fence in", err)
	}
	return nil
}

func (w *Warehouse) createMissing(ctx context.Context, s session) error {
	found, err := w.tables(ctx, s)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(ownTables), func(table string) bool { return found[table] })
	if len(missing) == 0 {
		return nil
	}
	return w.transaction(ctx, s, func() error {
		for _, table := range missing {
			if err := s.exec(ctx, createSQL(table)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ownTables are those that mss creates.
var ownTables = []string{kpiTable, stagingTable, fenceTable}

// tables finds out which of these there are.
func (w *Warehouse) tables(ctx context.Context, s session) (map[string]bool, error) {
	found := make(map[string]bool)
	err := s.query(ctx, w.dialect.tables, func([]string) error { return nil }, func(values []any) error {
		name, _ := values[0].(string)
		found[name] = true
		return nil
	})
	return found, err
}

// explain adds the act, which ends in a preposition, and the warehouse to an error, and what to do about it.
func (w *Warehouse) explain(ctx context.Context, act string, err error) error {
	var done explained
	if errors.As(err, &done) { // by the connection that the act needed
		return fmt.Errorf("%s: %w", strings.TrimSuffix(act, " in"), err)
	}
	// Servers and drivers have words of their own for a statement that was interrupted.
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%w)", cause, err)
	}
	if detail := w.dialect.detail(err); detail != "" {
		err = fmt.Errorf("%w: %s", err, detail)
	}
	remedy := w.dialect.remedy(err)
	if remedy != "" {
		err = fmt.Errorf("%w; %s", err, remedy)
	}
	return explained{fmt.Errorf("%s %s: %w", act, w.name, err), remedy}
}

// explained is an error that names its warehouse already, and ends with what to do about it, where that is known.
type explained struct {
	error
	remedy string
}

func (e explained) Unwrap() error { return e.error }

// Remedy is what to do, for whoever shows it apart from the error.
func (e explained) Remedy() string {
	var within interface{ Remedy() string }
	if e.remedy == "" && errors.As(e.error, &within) {
		return within.Remedy()
	}
	return e.remedy
}

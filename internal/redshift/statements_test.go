package redshift

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mss/internal/kpi"
	"mss/internal/redshift/rstest"
	"mss/internal/schema"
)

var update = flag.Bool("update", false, "write testdata/*.sql")

// listing collects statements, by what they are for.
type listing struct {
	text strings.Builder
	// seen are the statements of the step that has just been taken.
	seen func() []string
}

// note takes a step, and lists its statements.
func (l *listing) note(t *testing.T, title string, step func() error) {
	t.Helper()
	l.seen()
	if err := step(); err != nil {
		t.Fatal(err)
	}
	l.text.WriteString("-- " + title + "\n")
	for _, sql := range l.seen() {
		l.text.WriteString(sql + ";\n")
	}
	l.text.WriteString("\n")
}

// everything does all that mss does with a warehouse.
func everything(t *testing.T, w *Warehouse, l *listing) {
	t.Helper()
	do(t, w, "DROP TABLE public.kpi_table", "DROP TABLE public.kpi_staging", "DROP TABLE public.mss_fence")
	open := func() error { return w.ensureTables(t.Context()) }
	load := func(rows []schema.KPI, opt kpi.LoadOptions) func() error {
		return func() error {
			_, err := w.Load(t.Context(), rows, opt)
			return err
		}
	}
	query := func(sql string) func() error {
		return func() error {
			_, err := w.Query(t.Context(), sql)
			return err
		}
	}
	rows := []schema.KPI{noGenre(1), hour("0", 2)}
	l.note(t, "Open, the tables are absent", open)
	l.note(t, "Open, the tables are there", open)
	l.note(t, "Load, two rows", load(rows, kpi.LoadOptions{}))
	l.note(t, "Load, nothing differs", load(rows, kpi.LoadOptions{}))
	l.note(t, "Load, always, keeping stale keys", load(rows[:1], kpi.LoadOptions{Always: true, KeepStale: true}))
	l.note(t, "Load, fenced", load(rows[:1], fenced(1, "a")))
	l.note(t, "Load, fenced, nothing differs", load(rows[:1], fenced(1, "a")))
	l.note(t, "Load, fenced, nothing differs, the fence is raised", load(rows[:1], raising(fenced(2, "b"))))
	l.note(t, "Rows", func() error {
		_, err := w.Rows(t.Context())
		return err
	})
	l.note(t, "Compare, for a plan", func() error {
		_, err := w.Compare(t.Context(), rows, false)
		return err
	})
	l.note(t, "Grants, for the doctor", func() error {
		_, err := w.Grants(t.Context())
		return err
	})
	l.note(t, "Rehearse, for the doctor", func() error { return w.Rehearse(t.Context()) })
	l.note(t, "Query, genres", query(QueryGenres()))
	l.note(t, "Query, hours", query(QueryHours()))
}

// golden compares a listing with the one that is kept, so that a change of what is sent shows in review.
func golden(t *testing.T, name, listed string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(listed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if listed != string(want) {
		t.Errorf("the statements are no longer those of %s (go test -update rewrites it):\n%s", file, listed)
	}
	// Of what Redshift lacks nothing is used, on any warehouse.
	if found := redshiftLacks.FindString(listed); found != "" {
		t.Errorf("%s: %s", name, found)
	}
}

var redshiftLacks = regexp.MustCompile(`(?i)\b(ON CONFLICT|RETURNING|DISTINCT FROM|TRUNCATE|SAVEPOINT|FROM STDIN|MERGE|WITH)\b`)

// TestStatements lists what SQLite and PostgreSQL are sent.
func TestStatements(t *testing.T) {
	for _, target := range targets[:2] {
		t.Run(target.name, func(t *testing.T) {
			w := open(t, target.url(t))
			var sent []string
			tap(w, func(_ context.Context, _ session, sql string) error {
				sent = append(sent, sql)
				return nil
			})
			l := &listing{seen: func() []string {
				list := sent
				sent = nil
				return list
			}}
			everything(t, w, l)
			golden(t, "statements_"+target.name+".sql", l.text.String())
		})
	}
}

// TestRedshiftStatements lists what Redshift is sent, as it arrives there. `make test-statements` has a grammar of Redshift
// read the list.
func TestRedshiftStatements(t *testing.T) {
	since := func(p *rstest.Proxy, clean *strings.Replacer) func() []string {
		mark := 0
		return func() (list []string) {
			seen := p.Seen()
			for _, s := range seen[mark:] {
				if s.SQL != "-- ping" { // is the driver's, and no statement
					list = append(list, clean.Replace(s.SQL))
				}
			}
			mark = len(seen)
			return list
		}
	}
	p := rstest.New(t, rstest.Options{})
	w := open(t, p.URL())
	l := &listing{seen: since(p, strings.NewReplacer())}
	everything(t, w, l)
	l.note(t, "Connect", func() error {
		r, err := Open(t.Context(), p.URL(), Options{ReadOnly: true})
		if err != nil {
			return err
		}
		return r.Close()
	})

	w.patience = patience{silent: 300 * time.Millisecond, still: time.Second}
	holder, held, release := open(t, p.Direct()), make(chan struct{}), make(chan struct{})
	go holder.with(context.Background(), func(s session) error {
		return holder.transaction(context.Background(), s, func() error {
			err := s.exec(context.Background(), holder.dialect.lock)
			close(held)
			<-release
			return err
		})
	})
	<-held
	sessions := regexp.MustCompile(`(session_id = |pg_terminate_backend\()[0-9]+`)
	arrived := l.seen
	l.seen = func() (list []string) {
		for _, sql := range arrived() {
			list = append(list, sessions.ReplaceAllString(sql, "${1}SESSION"))
		}
		return list
	}
	l.note(t, "Load, another one holds the lock and stands still", func() error {
		_, err := w.Load(t.Context(), []schema.KPI{hour("0", 2)}, kpi.LoadOptions{Always: true})
		return err
	})
	close(release)

	p, _ = newCopying(t)
	w = open(t, p.URL())
	l.seen = since(p, strings.NewReplacer(w.copy.temp.String(), "s3://lab1-temp"))
	l.note(t, "Load by COPY, by the default role", func() error {
		_, err := w.Load(t.Context(), before(), fenced(1, "run1"))
		return err
	})
	random := regexp.MustCompile(`load-[A-Z0-9]+`)
	named := l.seen
	l.seen = func() (list []string) {
		for _, sql := range named() {
			list = append(list, random.ReplaceAllString(sql, "load-RANDOM"))
		}
		return list
	}
	l.note(t, "Rehearse by COPY, for the doctor", func() error { return w.Rehearse(t.Context()) })
	w.copy.role = quote("arn:aws:iam::123456789012:role/redshift-copy")
	p.Hook(func(s rstest.Statement) rstest.Action {
		if strings.HasPrefix(s.SQL, "COPY") {
			return rstest.Action{Fail: &pgconn.PgError{Code: "XX000", Message: "Spectrum Scan Error"}}
		}
		return rstest.Action{}
	})
	l.note(t, "Load by COPY, by a role, which fails", func() error {
		if _, err := w.Load(t.Context(), after(), fenced(2, "run2")); err == nil {
			t.Error("no error")
		}
		return nil
	})
	golden(t, "redshift_statements.sql", l.text.String())
}

// TestCreateIsTheUsersDDL compares the columns with the table that the user's document creates.
func TestCreateIsTheUsersDDL(t *testing.T) {
	const users = `kpi_type VARCHAR(20), group_by VARCHAR(100), genre_listen_count BIGINT, genre_avg_duration DOUBLE PRECISION, genre_popularity_index DOUBLE PRECISION, top_track VARCHAR(255), top_artist VARCHAR(255)`
	for _, table := range []string{"kpi_table", "kpi_staging"} {
		want := "CREATE TABLE IF NOT EXISTS public." + table + " ( " + users + " )"
		if got := strings.Join(strings.Fields(createSQL(table)), " "); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

func TestInsertStaysInLimits(t *testing.T) {
	if n := batchRows * 7; n > 32766 {
		t.Errorf("%d bind parameters", n)
	}
	text := batchRows * (20 + groupByWidth + 2*topWidth + 3*330) // a double can take 330 bytes as text
	if n := text + len(insertStagingSQL(batchRows)); n > 16_000_000 {
		t.Errorf("%d bytes", n)
	}
}

package redshift

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"mss/internal/kpi"
	"mss/internal/redshift/rstest"
	"mss/internal/schema"
)

// A rehearsal leaves everything as it was: rows, staging, and whether there are tables at all.
func TestRehearsalLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		pop, hour := "pop", "7"
		rows := []schema.KPI{{Type: schema.Genre, GroupBy: &pop, ListenCount: 3}, {Type: schema.Hourly, GroupBy: &hour, ListenCount: 2}}
		if _, err := w.Load(t.Context(), rows, kpi.LoadOptions{}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Rehearse(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range []string{"kpi_table", "kpi_staging", "mss_fence"} {
			got, err := w.Query(t.Context(), "SELECT COUNT(*) FROM public."+table)
			if want := map[string]int64{"kpi_table": 2}[table]; err != nil || got.Rows[0][0] != want {
				t.Errorf("%s holds %v rows, %v; want %d", table, got, err, want)
			}
		}
		do(t, w, "DROP TABLE public.kpi_table", "DROP TABLE public.kpi_staging", "DROP TABLE public.mss_fence")
		if err := w.Rehearse(t.Context()); err != nil {
			t.Errorf("without tables: %v", err)
		}
		if _, err := w.Query(t.Context(), "SELECT * FROM public.kpi_table"); err == nil {
			t.Error("the rehearsal left a table")
		}
	})
}

// A rehearsal fails where a load would.
func TestRehearsalFailsWhereALoadWould(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		do(t, w, "DROP TABLE public.kpi_table", "CREATE TABLE public.kpi_table (kpi_type VARCHAR(20))")
		if err := w.Rehearse(t.Context()); err == nil || strings.Contains(err.Error(), "password") {
			t.Errorf("a table that lacks columns: %v", err)
		}
	})
}

// Where loads copy, the rehearsal does, and leaves nothing in the temporary place, whatever comes of it.
func TestRehearsalByCopy(t *testing.T) {
	p, bucket := newCopying(t)
	w := open(t, p.URL())
	for _, fails := range []bool{false, true} {
		p.Hook(func(s rstest.Statement) rstest.Action {
			if fails && strings.HasPrefix(s.SQL, "COPY") {
				return rstest.Action{Fail: &pgconn.PgError{Code: "XX000", Message: "User arn:aws:redshift:… is not authorized to assume IAM Role"}}
			}
			return rstest.Action{}
		})
		err := w.Rehearse(t.Context())
		if fails != (err != nil) || fails && !strings.Contains(err.Error(), "attach the role of copy-role") {
			t.Errorf("a COPY that fails: %t; %v", fails, err)
		}
		if left, err := bucket.List(t.Context(), ""); err != nil || len(left) > 0 {
			t.Errorf("left in the temporary place: %v, %v", left, err)
		}
	}
	if n := len(statements(p, "COPY")); n != 2 {
		t.Errorf("%d COPY statements", n)
	}
	if rows, err := w.Rows(t.Context()); err != nil || len(rows) > 0 {
		t.Errorf("rows %v, %v", rows, err)
	}
}

// A rehearsal that a load gets in the way of is repeated.
func TestRehearsalAmongLoads(t *testing.T) {
	p := rstest.New(t, rstest.Options{})
	w := open(t, p.URL())
	conflicts := 2
	p.Hook(func(s rstest.Statement) rstest.Action {
		if strings.HasPrefix(s.SQL, "DELETE FROM public.kpi_table") && conflicts > 0 {
			conflicts--
			return rstest.Action{Fail: rstest.Conflict}
		}
		return rstest.Action{}
	})
	if err := w.Rehearse(t.Context()); err != nil || conflicts != 0 {
		t.Errorf("%v, %d conflicts to come", err, conflicts)
	}
}

func TestGrantsThatAreMissing(t *testing.T) {
	onServers(t, func(t *testing.T, target string) {
		admin := open(t, target)
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		user := strings.TrimPrefix(u.Path, "/") + "_reader" // roles are of the whole server
		do(t, admin, "CREATE ROLE "+user+" LOGIN PASSWORD 'x'", "GRANT SELECT ON public.kpi_table TO "+user)
		t.Cleanup(func() {
			_ = admin.with(t.Context(), func(s session) error {
				return errors.Join(s.exec(t.Context(), "DROP OWNED BY "+user), s.exec(t.Context(), "DROP ROLE "+user))
			})
		})
		u.User = url.UserPassword(user, "x")
		w, err := Open(t.Context(), u.String(), Options{ReadOnly: true, Log: new(journal).logger()})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		got, err := w.Grants(t.Context())
		want := []string{"GRANT INSERT, DELETE ON public.kpi_table", "GRANT SELECT, INSERT, DELETE ON public.kpi_staging", "GRANT SELECT, INSERT, DELETE ON public.mss_fence"}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("missing %q, %v; want %q", got, err, want)
		}
		if err := w.Rehearse(t.Context()); err == nil || !strings.Contains(err.Error(), "GRANT") {
			t.Errorf("a rehearsal without rights: %v", err)
		}
		do(t, admin, "DROP TABLE public.kpi_table", "DROP TABLE public.kpi_staging", "DROP TABLE public.mss_fence", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
		if got, err := w.Grants(t.Context()); err != nil || fmt.Sprint(got) != "[GRANT CREATE ON SCHEMA public]" {
			t.Errorf("without tables: missing %q, %v", got, err)
		}
		if got, err := admin.Grants(t.Context()); err != nil || len(got) > 0 {
			t.Errorf("the owner lacks %q, %v", got, err)
		}
	})
}

package redshift

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"mss/internal/blob"
	"mss/internal/blob/fileblob"
	"mss/internal/kpi"
	"mss/internal/parquetio"
	"mss/internal/redshift/rstest"
	"mss/internal/schema"
)

// statements are those of the load, in the order of their coming, by their first words.
func statements(p *rstest.Proxy, prefix string) (list []string) {
	for _, s := range p.Seen() {
		if strings.HasPrefix(s.SQL, prefix) {
			list = append(list, s.SQL)
		}
	}
	return list
}

func TestCopyStatement(t *testing.T) {
	p, bucket := newCopying(t)
	w := open(t, p.URL())
	opt := fenced(1, "20240229-run")
	var during []string
	tap(w, func(ctx context.Context, _ session, sql string) error {
		objects, err := bucket.List(ctx, "")
		for _, o := range objects {
			during = append(during, o.Key)
		}
		return err
	})
	load(t, w, before(), opt, true)
	wantRows(t, w, before())
	want := "COPY public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) FROM '" +
		w.copy.temp.String() + "/redshift-tmp/20240229-run/' IAM_ROLE default FORMAT AS PARQUET"
	if got := statements(p, "COPY"); !slices.Equal(got, []string{want}) {
		t.Errorf("COPY statements\n%v\nwant\n%s", got, want)
	}
	if got := statements(p, "INSERT INTO public.kpi_staging"); got != nil {
		t.Errorf("rows are inserted as well: %v", got)
	}
	if got := slices.Compact(during); !slices.Equal(got, []string{"temp/redshift-tmp/20240229-run/kpi.parquet"}) {
		t.Errorf("objects during the load: %v", got)
	}
	load(t, w, before(), opt, false) // nothing differs: nothing is uploaded
	w.copy.role = quote("arn:aws:iam::123456789012:role/redshift-copy")
	load(t, w, after(), opt, true)
	if got := statements(p, "COPY")[1]; !strings.Contains(got, "IAM_ROLE 'arn:aws:iam::123456789012:role/redshift-copy' FORMAT") {
		t.Error(got)
	}
	wantRows(t, w, after())
}

func TestCopyModes(t *testing.T) {
	p, bucket := newCopying(t)
	folder, err := fileblob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const role = "arn:aws:iam::123456789012:role/team/redshift-copy"
	for _, c := range []struct {
		opt    CopyOptions
		copies bool
		wrong  string
	}{
		{CopyOptions{}, false, ""},
		{CopyOptions{Auto, "", bucket}, false, ""},
		{CopyOptions{Auto, role, folder}, false, ""},
		{CopyOptions{Auto, role, nil}, false, ""},
		{CopyOptions{Auto, role, bucket}, true, ""},
		{CopyOptions{Auto, role + "," + role, bucket}, true, ""},
		{CopyOptions{Insert, role, bucket}, false, ""},
		{CopyOptions{Copy, "default", bucket}, true, ""},
		{CopyOptions{Copy, "", bucket}, false, "set copy-role"},
		{CopyOptions{Copy, "default", folder}, false, "set temp to s3://bucket"},
		{CopyOptions{Copy, "default", nil}, false, "set temp to s3://bucket"},
		{CopyOptions{Auto, "admin", bucket}, false, "want default or the ARN"},
		{CopyOptions{Auto, "arn:aws:iam::123456789012:role/x' FORMAT AS CSV --", bucket}, false, "want default or the ARN"},
	} {
		w, err := Open(t.Context(), p.URL(), Options{Log: new(journal).logger(), Copy: c.opt})
		check := c.opt.Check(p.URL())
		if c.wrong != "" {
			for _, err := range []error{err, check} {
				if !errors.Is(err, ErrCopy) || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("%v: %v", c.opt, err)
				}
			}
			continue
		}
		if err != nil || check != nil {
			t.Errorf("%v: %v, %v", c.opt, err, check)
			continue
		}
		if copies := w.copy != nil; copies != c.copies {
			t.Errorf("%v: copies %t", c.opt, copies)
		}
		w.Close()
		// Other warehouses insert, whatever is set.
		url := "sqlite:" + filepath.Join(t.TempDir(), "w.db")
		c.opt.Mode = Copy
		other, err := Open(t.Context(), url, Options{Copy: c.opt})
		if err != nil || other.copy != nil || c.opt.Check(url) != nil || c.opt.Check("postgres://h/db") != nil {
			t.Errorf("%v on SQLite: %v", c.opt, err)
			continue
		}
		other.Close()
	}
}

// replaced is a place where another object arrives than the one that was written.
type replaced struct {
	Temp
	data []byte
}

func (r replaced) Write(ctx context.Context, key string, _ []byte, cond blob.Cond) (blob.Object, error) {
	return r.Temp.Write(ctx, key, r.data, cond)
}

// emptyFile is a Parquet file of one row of NULL.
func emptyFile(t *testing.T, kinds ...schema.Kind) []byte {
	t.Helper()
	var table schema.Table
	var cols []parquetio.ColumnData
	for i, kind := range kinds {
		table.Columns = append(table.Columns, schema.Column{Name: fmt.Sprint("c", i), Kind: kind, Nullable: true})
		cols = append(cols, parquetio.NewColumnEncoder(kind).Finish([]uint32{parquetio.Null}))
	}
	var file bytes.Buffer
	if err := parquetio.WriteTable(&file, table, cols, 1); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestCopyFails has Redshift find something else than what was written for it.
func TestCopyFails(t *testing.T) {
	p, bucket := newCopying(t)
	w := open(t, p.URL())
	load(t, w, before(), kpi.LoadOptions{}, true)
	wantError := func(what string, words ...string) {
		t.Helper()
		loaded, err := w.Load(t.Context(), after(), kpi.LoadOptions{})
		for _, word := range append(words, "load public.kpi_table in "+MaskURL(p.URL())) {
			if loaded || err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: no %q in %v", what, word, err)
			}
		}
		wantRows(t, open(t, p.URL()), before())
	}
	const text, double = schema.String, schema.Double
	w.copy.temp = replaced{bucket, emptyFile(t, text, text, schema.Int64, double, double, text)}
	wantError("six columns", "Spectrum Scan Error", "Table columns: 7, Data columns: 6", "(code 15007)", "the load error: file s3://")
	w.copy.temp = replaced{bucket, emptyFile(t, text, text, double, double, double, text, text)}
	wantError("a double for a count", "incompatible Parquet schema for column 'genre_listen_count'", "column genre_listen_count, code 15007")
	w.copy.temp = replaced{bucket, emptyFile(t, text, text, schema.Int64, double, double, text, text)}
	wantError("one row", "kpi_staging holds 1 rows after 5 were staged")
	w.copy.temp = bucket
	// A system view that may not be read takes nothing from the error.
	p.Hook(func(s rstest.Statement) rstest.Action {
		if strings.Contains(s.SQL, "load_error") {
			return rstest.Action{Fail: &pgconn.PgError{Code: "42501", Message: "permission denied"}}
		}
		if strings.HasPrefix(s.SQL, "COPY") {
			return rstest.Action{Fail: &pgconn.PgError{Code: "XX000", Message: "S3ServiceException:Access Denied,Status 403,Error AccessDenied"}}
		}
		return rstest.Action{}
	})
	wantError("no right", "Access Denied", "give the role of copy-role s3:ListBucket and s3:GetObject")
	p.Hook(nil)
	load(t, w, after(), kpi.LoadOptions{}, true)
}

// TestCopyWithoutPlace has the temporary place refuse.
func TestCopyWithoutPlace(t *testing.T) {
	p, bucket := newCopying(t)
	w := open(t, p.URL())
	load(t, w, before(), kpi.LoadOptions{}, true)
	w.copy.temp = refusing{bucket}
	if _, err := w.Load(t.Context(), after(), kpi.LoadOptions{}); !errors.Is(err, errFault) || !strings.Contains(err.Error(), "write redshift-tmp/") {
		t.Error(err)
	}
	wantRows(t, w, before())
}

type refusing struct{ Temp }

func (refusing) Write(context.Context, string, []byte, blob.Cond) (blob.Object, error) {
	return blob.Object{}, errFault
}

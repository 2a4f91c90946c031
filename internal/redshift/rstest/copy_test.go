package rstest_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
	"mss/internal/parquetio"
	"mss/internal/redshift/rstest"
	"mss/internal/schema"
)

// file is a Parquet file of one row: texts become strings, integers int64, nil a string without a value.
func file(t *testing.T, values ...any) []byte {
	t.Helper()
	var table schema.Table
	var cols []parquetio.ColumnData
	for i, v := range values {
		kind := schema.String
		if _, ok := v.(int64); ok {
			kind = schema.Int64
		}
		encoder := parquetio.NewColumnEncoder(kind)
		code := uint32(parquetio.Null)
		switch v := v.(type) {
		case int64:
			code = encoder.Int(v)
		case string:
			code = encoder.Text(v)
		}
		table.Columns = append(table.Columns, schema.Column{Name: "column" + string(rune('a'+i)), Kind: kind, Nullable: true})
		cols = append(cols, encoder.Finish([]uint32{code}))
	}
	var out bytes.Buffer
	if err := parquetio.WriteTable(&out, table, cols, 1); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCopy(t *testing.T) {
	server := s3test.New(t)
	server.Setenv(t)
	bucket, err := s3blob.Open(t.Context(), server.URL, s3blob.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for key, data := range map[string][]byte{
		"good/1.parquet": file(t, int64(1), "a\tb\\c\nd"), "good/2.parquet": file(t, int64(2), nil), "good_too/3.parquet": file(t, int64(3), "c"),
		"swapped/1.parquet": file(t, "a", int64(1)), "three/1.parquet": file(t, int64(1), "a", "b"), "long/1.parquet": file(t, int64(1), "ééééé!"),
		"text/1.parquet": []byte("1,a\n"),
	} {
		if _, err := bucket.Write(t.Context(), key, data, blob.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
	p := rstest.New(t, rstest.Options{Buckets: map[string]blob.Bucket{server.Bucket: bucket}})
	conn := connect(t, p)
	exec(t, conn, "CREATE TABLE t (a BIGINT, b VARCHAR(10), c VARCHAR(10))")
	from := func(prefix string) string {
		return "COPY public.t (a, b) FROM '" + server.URL + "/" + prefix + "' IAM_ROLE default FORMAT AS PARQUET"
	}
	exec(t, conn, "BEGIN", from("good/"), "ROLLBACK")
	if n := count(t, conn, "t"); n != 0 {
		t.Errorf("%d rows after a rollback", n)
	}
	if tag := exec(t, conn, "BEGIN", from("good/")); tag.String() != "COPY" {
		t.Error(tag)
	}
	exec(t, conn, "COMMIT")
	if n := count(t, conn, `t WHERE a = 1 AND b = 'a\tb\\c\nd' AND c IS NULL OR a = 2 AND b IS NULL`); n != 2 {
		t.Errorf("%d rows of two", n)
	}
	// A prefix is no folder.
	exec(t, conn, "DELETE FROM t", strings.Replace(from("good"), "default", "'arn:aws:iam::123456789012:role/copy'", 1))
	if n := count(t, conn, "t"); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	for prefix, words := range map[string]string{
		"swapped/": "incompatible Parquet schema for column 'a'", "three/": "Unmatched number of columns", "long/": "column b is longer",
		"text/": "not a Parquet file", "absent/": "does not exist",
	} {
		exec(t, conn, "DELETE FROM t", "BEGIN")
		_, err := conn.Exec(t.Context(), from(prefix))
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != "XX000" || !strings.Contains(e.Message+e.Detail, words) {
			t.Errorf("%s: %v", prefix, err)
		}
		_, err = conn.Exec(t.Context(), "SELECT 1")
		wantCode(t, "behind a failed COPY", err, "25P02")
		exec(t, conn, "ROLLBACK")
		if n := count(t, conn, "t"); n != 0 {
			t.Errorf("%s: %d rows", prefix, n)
		}
	}
	if n := count(t, conn, "SYS_LOAD_ERROR_DETAIL WHERE session_id = pg_backend_pid() AND (error_message LIKE '%column b is longer%' OR error_code = 15007)"); n != 4 {
		t.Errorf("%d errors are kept, want 4", n)
	}
	rows, err := conn.Query(t.Context(), from("good/"))
	if err == nil {
		rows.Close()
		err = rows.Err()
	}
	wantCode(t, "COPY by the extended protocol", err, "0A000")
}

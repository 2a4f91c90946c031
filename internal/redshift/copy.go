package redshift

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"mss/internal/blob"
	"mss/internal/kpi"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// Temp is where a load puts the object that Redshift copies. blob.Bucket meets it.
type Temp interface {
	// String is the place: s3://bucket[/prefix].
	String() string
	Write(ctx context.Context, key string, data []byte, cond blob.Cond) (blob.Object, error)
	Delete(ctx context.Context, keys ...string) error
}

// stagingFile are the columns of kpi_staging, in its order: COPY goes by position.
var stagingFile = schema.Table{Name: "kpi_staging",
	Columns: append([]schema.Column{{Name: "kpi_type", Kind: schema.String}}, schema.KPIFile.Columns...)}

// tidyTime is how long removing the object may take after the load, interrupted or not.
const tidyTime = 30 * time.Second

// upload puts the rows where COPY reads them. It precedes the transaction: staging is locked no longer than needed.
func (l *loading) upload(ctx context.Context) error {
	if l.w.copy == nil || len(l.want) == 0 { // nobody says what COPY makes of a file without rows
		return nil
	}
	run := l.opt.Fence.Run
	if run == "" {
		run = "load-" + rand.Text()
	}
	var file bytes.Buffer
	if err := parquetio.WriteTable(&file, stagingFile, encode(l.want), 1); err != nil {
		return fmt.Errorf("encode %d rows for COPY: %w", len(l.want), err)
	}
	key := kpi.TempFolder(run) + "kpi.parquet"
	l.uploaded = key // also after an error the object may be there
	if _, err := l.w.copy.temp.Write(ctx, key, file.Bytes(), blob.Cond{}); err != nil {
		return fmt.Errorf("write %s in %s for COPY: %w", key, l.w.copy.temp, err)
	}
	return nil
}

// tidy removes the object.
func (l *loading) tidy(ctx context.Context) {
	if l.uploaded == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	if err := l.w.copy.temp.Delete(ctx, l.uploaded); err != nil {
		l.w.log.Warn("the object of a load stays in the temporary place; it can be deleted", "place", l.w.copy.temp.String(), "object", l.uploaded, "error", err)
	}
}

// copy fills staging from the object. The statement has no arguments, so that it goes by the simple protocol: the extended one is
// reported to fail.
func (l *loading) copy(ctx context.Context, s session) error {
	return s.exec(ctx, copySQL(l.w.copy.folder(l.uploaded), l.w.copy.role))
}

// encode makes the columns of stagingFile.
func encode(records []record) (cols []parquetio.ColumnData) {
	encoders := make([]*parquetio.ColumnEncoder, len(stagingFile.Columns))
	codes := make([][]uint32, len(encoders))
	for i, c := range stagingFile.Columns {
		encoders[i] = parquetio.NewColumnEncoder(c.Kind)
	}
	for _, r := range records {
		for i, v := range r.args() {
			code := uint32(parquetio.Null)
			switch v := v.(type) {
			case string:
				code = encoders[i].Text(v)
			case int64:
				code = encoders[i].Int(v)
			case float64:
				code = encoders[i].Double(v)
			}
			codes[i] = append(codes[i], code)
		}
	}
	for i, e := range encoders {
		cols = append(cols, e.Finish(codes[i]))
	}
	return cols
}

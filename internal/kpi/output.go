package kpi

import (
	"bytes"
	"context"
	"fmt"

	"mss/internal/lake"
	"mss/internal/parquetio"
	"mss/internal/report"
	"mss/internal/schema"
)

// object is a data object of the audit copy.
type object struct {
	key  string // below the dataset's prefix
	rows int
	data []byte
}

// encodeOutput makes the audit copy: an object for each kpi_type.
func encodeOutput(rows []schema.KPI) (objects []object, err error) {
	for _, kind := range []string{schema.Genre, schema.Hourly} {
		cols, n := encode(kind, rows)
		var b bytes.Buffer
		if err := parquetio.WriteTable(&b, schema.KPIFile, cols, 1); err != nil {
			return nil, fmt.Errorf("encode the KPIs of type %s: %w", kind, err)
		}
		objects = append(objects, object{"kpi_type=" + kind + "/kpi.parquet", n, b.Bytes()})
	}
	return objects, nil
}

// published says whether the audit copy is there with these bytes.
func (j *Job) published(ctx context.Context, txn *lake.Txn, objects []object) (bool, error) {
	snap := txn.Old()
	if snap == nil || snap.Incomplete || snap.Semantics != j.Run.Semantics || len(snap.Objects) != len(objects) {
		return false, nil
	}
	for _, o := range objects {
		e := snap.Entry(lake.KPIOutput(j.Analytics).Prefix + o.key)
		if e == nil || e.Size != int64(len(o.data)) || e.CRC32C != checksum(o.data) {
			return false, nil
		}
		if now, intact, err := txn.Intact(ctx, *e); err != nil || !intact || now.ETag != e.ETag {
			return false, err
		}
	}
	return true, nil
}

// stage stages the audit copy.
func (j *Job) stage(ctx context.Context, txn *lake.Txn, objects []object, rep *report.Job) error {
	var plan []lake.Planned
	for _, object := range objects {
		plan = append(plan, lake.Planned{Data: object.key})
	}
	if err := txn.Intend(ctx, plan); err != nil {
		return err
	}
	for _, object := range objects {
		o, err := txn.Stage(ctx, object.key)
		if err != nil {
			return err
		}
		if _, err := o.Write(object.data); err != nil {
			return fmt.Errorf("write %s in %s: %w", o.Key, j.Analytics, err)
		}
		o.Rows = int64(object.rows)
		txn.Finish(o)
		rep.Objects++
		rep.BytesWritten += o.Size
	}
	return txn.Ready()
}

// encode makes the columns of schema.KPIFile of the rows of one kpi_type, and counts these.
func encode(kind string, rows []schema.KPI) (cols []parquetio.ColumnData, n int) {
	encoders := make([]*parquetio.ColumnEncoder, len(schema.KPIFile.Columns))
	codes := make([][]uint32, len(encoders))
	for i, c := range schema.KPIFile.Columns {
		encoders[i] = parquetio.NewColumnEncoder(c.Kind)
	}
	text := func(i int, v *string) uint32 {
		if v == nil {
			return parquetio.Null
		}
		return encoders[i].Text(*v)
	}
	double := func(i int, v *float64) uint32 {
		if v == nil {
			return parquetio.Null
		}
		return encoders[i].Double(*v)
	}
	for _, r := range rows {
		if r.Type != kind {
			continue
		}
		n++
		for i, code := range []uint32{text(0, r.GroupBy), encoders[1].Int(r.ListenCount), double(2, r.AvgDuration),
			double(3, r.Popularity), text(4, r.TopTrack), text(5, r.TopArtist)} {
			codes[i] = append(codes[i], code)
		}
	}
	for i, e := range encoders {
		cols = append(cols, e.Finish(codes[i]))
	}
	return cols, n
}

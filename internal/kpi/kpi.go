// Package kpi is the third job: genre and hourly KPIs of the enriched plays, into the warehouse and an audit copy.
//
// Workers take row groups, read them as Arrow record batches, and fold these into a State each; the states are merged. A State
// is exact: no result depends on the order, the files or the number of workers.
package kpi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/parquetio"
	"mss/internal/report"
	"mss/internal/schema"
)

// Warehouse is where the KPI rows are served from.
type Warehouse interface {
	// Load makes the genre and hourly rows of kpi_table equal to rows, in one transaction. Unless opt.Always is set it
	// first compares, and does nothing when they are equal already. It returns whether rows were loaded.
	Load(ctx context.Context, rows []schema.KPI, opt LoadOptions) (loaded bool, err error)
}

// LoadOptions are the choices of a load.
type LoadOptions struct {
	Always    bool // --full: load even when nothing differs
	KeepStale bool // --keep-stale: leave genre and hourly keys that no longer occur
	// Fence keeps a run out that was taken over by another. The zero Fence keeps nobody out.
	Fence Fence
}

// Fence is a run's place in the order of runs on a lake. The warehouse remembers the greatest token that loaded.
type Fence struct {
	Lake  string // names the lake, at most 64 bytes
	Token int64  // greater than those of all runs before
	Run   string // names the run, at most 64 bytes
	// Raise has the warehouse remember the token also when there is nothing to load. It is needed where a run can be
	// taken over that is still alive: that one must not load after a run that found nothing to do.
	Raise bool
}

// TempFolder is the folder of the temporary place that is a run's alone, for what it loads the warehouse from. It ends in a slash.
func TempFolder(run string) string { return "redshift-tmp/" + run + "/" }

// ErrFenced is a load that was refused: a run that came later has loaded already.
var ErrFenced = errors.New("another run took over the lake and has loaded the warehouse since")

// Job computes the KPIs.
type Job struct {
	Curated, Analytics blob.Bucket
	Warehouse          Warehouse
	Load               LoadOptions
	Run                *lake.Run
}

// Execute runs the job. The warehouse is loaded before the audit copy is published, so the copy shows what was loaded.
func (j *Job) Execute(ctx context.Context) (rep report.Job, err error) {
	rep = report.Job{Job: "kpi", Rejected: map[string]int64{}}
	began := time.Now()
	defer func() { rep.Finish(time.Since(began)) }()

	txn, err := lake.KPIOutput(j.Analytics).Begin(ctx, j.Run)
	if err != nil {
		return rep, err
	}
	defer func() {
		if aerr := txn.Abort(ctx); aerr != nil {
			err = errors.Join(err, aerr)
		}
	}()
	if err := txn.CheckForeign(); err != nil {
		return rep, err
	}
	if err := txn.Intend(ctx, []lake.Planned{{Data: object(schema.Genre)}, {Data: object(schema.Hourly)}}); err != nil {
		return rep, err
	}
	d := lake.Transformed(j.Curated)
	snap, objects, err := j.input(ctx, d)
	if err != nil {
		return rep, err
	}
	for _, o := range objects {
		rep.BytesRead += o.Size
	}
	j.Run.Progress.Start(rep.Job, rep.BytesRead)
	defer j.Run.Progress.Stop()
	state, err := j.fold(ctx, d, objects)
	if err != nil {
		return rep, err
	}
	rep.RowsIn, rep.Plays = state.NumRows(), state.Plays()
	if err := j.balance(state, snap); err != nil {
		return rep, err
	}
	rows := state.Rows()
	rep.RowsOut = int64(len(rows))
	for _, kind := range []string{schema.Genre, schema.Hourly} {
		o, err := j.stage(ctx, txn, kind, rows)
		if err != nil {
			return rep, err
		}
		rep.Objects++
		rep.BytesWritten += o.Size
	}
	if err := txn.Ready(); err != nil {
		return rep, err
	}
	loaded, err := j.Warehouse.Load(ctx, rows, j.Load)
	if err != nil {
		return rep, err
	}
	if !loaded {
		j.Run.Log.Info("kpi_table holds these rows already; nothing was loaded")
	}
	_, err = txn.Commit(ctx)
	return rep, err
}

// input lists the objects to read.
func (j *Job) input(ctx context.Context, d lake.Dataset) (*lake.Snapshot, []blob.Object, error) {
	snap, err := d.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	if snap != nil {
		if err := snap.Check(j.Run, d, "integrate"); err != nil {
			return nil, nil, err
		}
	}
	objects, err := d.Objects(ctx, snap)
	if err != nil {
		return nil, nil, err
	}
	if snap == nil {
		if len(objects) == 0 {
			return nil, nil, fmt.Errorf("%w: there is no %s yet; run `mss run integrate` first", lake.ErrUsage, d)
		}
		j.Run.Log.Warn("there is no snapshot: all Parquet objects are read", "dataset", d.Name, "objects", len(objects))
	}
	return snap, objects, nil
}

// balance checks that no play was lost or counted twice.
func (j *Job) balance(s *State, snap *lake.Snapshot) error {
	want := s.Plays()
	if j.Run.Semantics == schema.Glue {
		want = s.NumRows()
	}
	got := int64(0)
	for _, n := range s.hourlyPlays() {
		got += n
	}
	if got != want {
		return fmt.Errorf("%d plays in, but %d in the hours; this is a fault of mss, nothing was loaded", want, got)
	}
	if snap != nil && snap.Plays != s.Plays() {
		return fmt.Errorf("the objects of mss-transformed hold %d plays, their snapshot says %d; run `mss run integrate` again", s.Plays(), snap.Plays)
	}
	return nil
}

// stage writes the rows of one kpi_type as Parquet.
func (j *Job) stage(ctx context.Context, txn *lake.Txn, kind string, rows []schema.KPI) (*lake.Object, error) {
	o, err := txn.Stage(ctx, object(kind))
	if err != nil {
		return nil, err
	}
	cols, n := encode(kind, rows)
	if err := parquetio.WriteTable(o, schema.KPIFile, cols, 1); err != nil {
		return nil, fmt.Errorf("write %s in %s: %w", o.Key, j.Analytics, err)
	}
	o.Rows = int64(n)
	txn.Finish(o)
	return o, nil
}

// object is the data object of a kpi_type.
func object(kind string) string { return "kpi_type=" + kind + "/kpi.parquet" }

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

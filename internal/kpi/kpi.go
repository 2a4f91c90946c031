// Package kpi is the third job: genre and hourly KPIs of the enriched plays, into the warehouse and an audit copy.
//
// Workers take row groups and fold them into exact, mergeable totals, see package state. On the way each object's own state is made,
// and kept: the next run folds only the objects that are new, see store. No result depends on the order, the files, the number of
// workers, or what was taken over.
package kpi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/lake"
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
	Load               LoadOptions // Always: also compute everything from the data objects, and write the states anew
	Run                *lake.Run
}

// name is that of the job.
const name = "kpi"

// Execute runs the job. The warehouse is loaded before the audit copy is published, so the copy shows what was loaded.
func (j *Job) Execute(ctx context.Context) (rep report.Job, err error) {
	rep = report.Job{Job: name, Rejected: map[string]int64{}}
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
	w, err := j.begin(ctx)
	if err != nil {
		return rep, err
	}
	w.write = true
	defer j.Run.Progress.Stop()
	r, err := w.run(ctx, j.Load.Always)
	if err != nil {
		return rep, err
	}
	defer func() { _ = r.wait() }() // its error is known, or there is a better one
	rep.BytesRead = sizeOf(r.fresh)
	rep.RowsIn, rep.Plays, rep.RowsOut = r.counts.Rows, r.counts.Plays, int64(len(r.rows))
	if err := j.balance(r.counts, w.snap); err != nil {
		return rep, err
	}
	// Both are right, whichever is done when the run is killed: the rows are compared with the warehouse again.
	group, gctx := errgroup.WithContext(ctx)
	if w.store != nil {
		group.Go(func() error {
			if err := r.wait(); err != nil {
				return err
			}
			return w.store.finish(gctx, r.index)
		})
	}
	group.Go(func() error { return j.publish(gctx, txn, r.rows, &rep) })
	err = group.Wait()
	return rep, err
}

// Preview computes the rows that a run would load, and writes nothing. It tells of how many objects the states would be taken over,
// and how many would be read.
func (j *Job) Preview(ctx context.Context) (rows []schema.KPI, reused, fresh int, err error) {
	quiet := *j
	quiet.Run = j.Run.Quiet()
	w, err := quiet.begin(ctx)
	if err != nil {
		return nil, 0, 0, err
	}
	r, err := w.run(ctx, j.Load.Always)
	if err != nil {
		return nil, 0, 0, err
	}
	return r.rows, len(r.taken), len(r.fresh), j.balance(r.counts, w.snap)
}

// begin finds the objects to read and the states that there are.
func (j *Job) begin(ctx context.Context) (*work, error) {
	w := &work{job: j, data: lake.Transformed(j.Curated)}
	group, gctx := errgroup.WithContext(ctx)
	var s *store
	group.Go(func() (err error) {
		s, err = openStore(gctx, j.Curated)
		return err
	})
	group.Go(func() (err error) {
		w.snap, w.objects, err = j.input(gctx, w.data)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if w.snap != nil {
		w.store = s
	}
	return w, nil
}

// publish loads the warehouse and, where it would change, the audit copy.
func (j *Job) publish(ctx context.Context, txn *lake.Txn, rows []schema.KPI, rep *report.Job) error {
	objects, err := encodeOutput(rows)
	if err != nil {
		return err
	}
	same := false
	if j.Run.Foreign != lake.ForeignRemove { // which publishing does
		if same, err = j.published(ctx, txn, objects); err != nil {
			return err
		}
	}
	if !same {
		if err := j.stage(ctx, txn, objects, rep); err != nil {
			return err
		}
	}
	loaded, err := j.Warehouse.Load(ctx, rows, j.Load)
	if err != nil {
		return err
	}
	if !loaded {
		j.Run.Log.Info("kpi_table holds these rows already; nothing was loaded")
	}
	if same {
		return nil
	}
	_, err = txn.Commit(ctx)
	return err
}

// input lists the objects to read.
func (j *Job) input(ctx context.Context, d lake.Dataset) (*lake.Snapshot, []blob.Object, error) {
	snap, err := j.Run.Snapshot(ctx, d)
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
func (j *Job) balance(c counts, snap *lake.Snapshot) error {
	want := c.Plays
	if j.Run.Semantics == schema.Glue {
		want = c.Rows
	}
	if c.Counted != want || c.Hourly != want {
		return fmt.Errorf("%d plays in, but %d in the hours; this is a fault of mss, nothing was loaded", want, c.Hourly)
	}
	if snap != nil && snap.Plays != c.Plays {
		return fmt.Errorf("the objects of mss-transformed hold %d plays, their snapshot says %d; run `mss run integrate` again", c.Plays, snap.Plays)
	}
	return nil
}

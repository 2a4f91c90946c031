// Package metadata is the first job: songs.csv and users.csv, cleaned and typed, become Snappy Parquet.
//
// Both tables are held in memory: they are dimensions, of some 100,000 rows. The rows are sorted, songs by
// (track_id, genre, popularity descending, track_name, artists, duration_ms) and users by (user_id, created_at), so that
// the row that stays of several is the first, and the files depend on the set of input rows alone.
package metadata

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
	"mss/internal/ingest"
	"mss/internal/lake"
	"mss/internal/ledger"
	"mss/internal/parquetio"
	"mss/internal/quality"
	"mss/internal/report"
	"mss/internal/schema"
)

// chunkSize is smaller than for plays, so that one file of some megabytes uses all cores.
const chunkSize = 2 << 20

// Job reads songs.csv and users.csv and writes songs.parquet and users.parquet.
type Job struct {
	Raw, Curated blob.Bucket
	Run          *lake.Run
}

// table is one of the two inputs on its way through the job.
type table struct {
	dataset lake.Dataset
	name    string // of the source, without .gz
	source  blob.Object
	action  ledger.Action
	entry   lake.Entry // kept, when the source is unchanged
	stale   bool       // the entry is not as the snapshot has it
	gate    quality.Gate
	rejects *quality.Quarantine
	txn     *lake.Txn
	object  *lake.Object
	hash    string // of the source
	rowsOut int64
}

// Execute runs the job. It publishes both tables or, when one is refused, neither. A table whose source has not changed is left alone.
func (j *Job) Execute(ctx context.Context) (rep report.Job, err error) {
	rep = report.Job{Job: "metadata", Rejected: map[string]int64{}, Sources: map[string]int{}}
	began := time.Now()
	defer func() { rep.Finish(time.Since(began)) }()

	songs, users := j.tables()
	both := []*table{songs, users}
	defer func() {
		for _, t := range both {
			if t.txn != nil {
				err = errors.Join(err, t.txn.Abort(ctx))
			}
			if t.action.Reads() {
				rep.RowsIn += t.gate.Rows
				rep.BytesRead += t.source.Size
				for reason, n := range t.gate.Rejected {
					rep.Rejected[reason] += n
				}
			}
		}
	}()
	if err := j.decide(ctx, songs, users); err != nil {
		return rep, err
	}
	total := int64(0)
	for _, t := range both {
		rep.Sources[string(t.action)]++
		if t.action.Reads() {
			total += t.source.Size
			rep.Inputs = append(rep.Inputs, report.Input{Key: t.source.Key, Size: t.source.Size, ETag: t.source.ETag, Why: string(t.action)})
		}
	}
	j.Run.Progress.Start(rep.Job, total)
	defer j.Run.Progress.Stop()

	// Not with a context of the group's: that would end with it, and staged objects live on until they are published.
	var group errgroup.Group
	if songs.action.Reads() {
		group.Go(func() error { return j.songs(ctx, songs) })
	}
	if users.action.Reads() {
		group.Go(func() error { return j.users(ctx, users) })
	}
	if err := group.Wait(); err != nil {
		return rep, err
	}
	err = j.publish(ctx, both, &rep)
	return rep, err
}

// publish publishes both tables or, when one is refused, the rejects of both alone.
func (j *Job) publish(ctx context.Context, both []*table, rep *report.Job) error {
	for _, t := range both {
		if err := t.gate.Check(j.Run.MaxRejectRatio, fmt.Sprintf("quarantine/%s/ in %s", t.gate.Dataset, j.Curated)); err != nil {
			for _, t := range both {
				err = errors.Join(err, t.txn.PublishBeside(ctx))
			}
			return err
		}
		if err := t.txn.Ready(); err != nil {
			return err
		}
	}
	for _, t := range both {
		if err := j.commit(ctx, t, rep); err != nil {
			return err
		}
		if t.rowsOut == 0 {
			j.Run.Log.Warn(t.source.Key+" holds no "+t.dataset.Name+": no play is joined with any; was it uploaded whole?", "raw", j.Raw.String())
		}
	}
	return nil
}

// tables are the two inputs.
func (j *Job) tables() (songs, users *table) {
	return &table{dataset: lake.Songs(j.Curated), name: "songs.csv", gate: quality.Gate{Dataset: "songs"}},
		&table{dataset: lake.Users(j.Curated), name: "users.csv", gate: quality.Gate{Dataset: "users"}}
}

// Plan says what Execute would do, and writes nothing.
func (j *Job) Plan(ctx context.Context) (report.Plan, error) {
	p := report.Plan{Job: "metadata"}
	songs, users := j.tables()
	if err := j.decide(ctx, songs, users); err != nil {
		return p, err
	}
	for _, t := range []*table{songs, users} {
		read := t.action.Reads()
		p.Sources = append(p.Sources, report.PlannedSource{Key: t.source.Key, Action: string(t.action), Size: t.source.Size, Read: read})
		if read {
			p.Bytes += t.source.Size
			p.Objects++
		}
		t.txn.PlanForeign(&p)
	}
	return p, nil
}

// decide finds the sources, and which of them are to be read.
func (j *Job) decide(ctx context.Context, tables ...*table) error {
	raw, err := j.Raw.List(ctx, folder)
	if err != nil {
		return fmt.Errorf("list %s in %s: %w", folder, j.Raw, err)
	}
	for _, t := range tables {
		if t.source, err = j.find(raw, folder+t.name); err != nil {
			return err
		}
		if t.txn, err = t.dataset.Begin(ctx, j.Run); err != nil {
			return err
		}
		if err := t.txn.CheckForeign(); err != nil {
			return err
		}
		old := t.txn.Old()
		e := old.Entry(t.dataset.Prefix + t.dataset.Name + ".parquet")
		if e != nil && (e.Source == nil || e.Source.Key != t.source.Key) {
			e = nil // songs.csv.gz instead of songs.csv, say
		}
		full := j.Run.Full || old != nil && len(old.Objects) != 1
		d, err := ledger.Decide(ctx, j.Raw, t.source, t.txn, e, full)
		if err != nil {
			return err
		}
		t.action, t.entry, t.stale = d.Action, d.Entry, d.Changed
		if t.action == ledger.Unchanged && old.Semantics != j.Run.Semantics {
			t.action = ledger.Semantics
		}
		if !t.action.Reads() {
			t.gate.Rows, t.gate.Rejected = t.entry.Source.Rows, t.entry.Source.Rejected
			t.rowsOut = t.entry.Rows
		}
	}
	return nil
}

// commit publishes a table, and adds its figures to the report.
func (j *Job) commit(ctx context.Context, t *table, rep *report.Job) error {
	collapsed := t.gate.Rows - t.gate.Total() - t.rowsOut
	rep.Total.Sources++
	rep.Total.RowsIn += t.gate.Rows
	rep.Total.RowsOut += t.rowsOut
	rep.Total.Rejected += t.gate.Total()
	rep.Total.Collapsed += collapsed
	if !t.action.Reads() {
		if !t.stale && !t.txn.HasForeign() {
			return nil
		}
		t.txn.Keep(t.entry)
		_, err := t.txn.Commit(ctx)
		return err
	}
	if _, err := t.txn.Commit(ctx); err != nil {
		return err
	}
	rep.RowsOut += t.rowsOut
	rep.Collapsed += collapsed
	rep.BytesWritten += t.object.Size
	rep.Objects++
	return nil
}

// folder of the raw place holds the sources.
const folder = "metadata/"

// find picks the one source of a table, plain or gzipped.
func (j *Job) find(raw []blob.Object, key string) (blob.Object, error) {
	var found []blob.Object
	for _, o := range raw {
		if o.Key == key || o.Key == key+".gz" {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return blob.Object{}, fmt.Errorf("there is neither %s nor %s.gz in %s: put it there, or name the right place with --raw", key, key, j.Raw)
	case 1:
		return found[0], nil
	}
	return blob.Object{}, fmt.Errorf("both %s and %s.gz are in %s: which is it? Remove one", key, key, j.Raw)
}

// read ingests a table's source: parts are given to emit in order, rejects to quarantine and gate.
func read[T any](ctx context.Context, j *Job, t *table, s schema.Table, worker func() ingest.Worker[T], emit func(T)) error {
	name := t.source.Key[len(folder):]
	err := t.txn.Intend(ctx, []lake.Planned{{Data: t.dataset.Name + ".parquet", Beside: quality.Key(t.gate.Dataset, name)}})
	if err != nil {
		return err
	}
	if t.rejects, err = quality.OpenQuarantine(ctx, j.Curated, t.txn, t.gate.Dataset); err != nil {
		return err
	}
	if e := t.txn.Old().Entry(t.dataset.Prefix + t.dataset.Name + ".parquet"); e != nil && e.Source != nil && e.Source.Key != t.source.Key {
		t.rejects.Remove(e.Source.Key[len(folder):])
	}
	file := t.rejects.File(t.source.Key, name)
	r := &ingest.Reader[T]{Bucket: j.Raw, Objects: []blob.Object{t.source}, Table: s, Threads: j.Run.Threads,
		ChunkSize: chunkSize, Progress: j.Run.Progress, NewWorker: worker}
	r.Emit = func(p ingest.Part[T]) error {
		t.gate.Add(p.Records, p.Rejects)
		emit(p.Value)
		t.hash = p.Hash
		return file.Add(ctx, p.Line, p.Rejects)
	}
	if err := r.Read(ctx); err != nil {
		return err
	}
	return file.Close()
}

// write stages the table's Parquet object.
func (j *Job) write(ctx context.Context, t *table, s schema.Table, cols []parquetio.ColumnData) error {
	o, err := t.txn.Stage(ctx, t.dataset.Name+".parquet")
	if err != nil {
		return err
	}
	if err := parquetio.WriteTable(o, s, cols, j.Run.Threads); err != nil {
		return fmt.Errorf("write %s in %s: %w", o.Key, j.Curated, err)
	}
	t.rowsOut = int64(len(cols[0].Codes))
	o.Rows = t.rowsOut
	o.Source = &lake.Source{Key: t.source.Key, Size: t.source.Size, ETag: t.source.ETag, Hash: t.hash, Weak: t.source.Weak,
		Rows: t.gate.Rows, Rejected: t.gate.Rejected}
	t.object = o
	t.txn.Finish(o)
	return nil
}

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
	source  blob.Object
	gate    quality.Gate
	txn     *lake.Txn
	object  *lake.Object
	rowsOut int64
}

// Execute runs the job. It publishes both tables or, when one is refused, neither.
func (j *Job) Execute(ctx context.Context) (rep report.Job, err error) {
	rep = report.Job{Job: "metadata", Rejected: map[string]int64{}}
	began := time.Now()
	defer func() { rep.Finish(time.Since(began)) }()

	songs, users := table{gate: quality.Gate{Dataset: "songs"}}, table{gate: quality.Gate{Dataset: "users"}}
	if songs.source, err = j.find(ctx, "metadata/songs.csv"); err != nil {
		return rep, err
	}
	if users.source, err = j.find(ctx, "metadata/users.csv"); err != nil {
		return rep, err
	}
	j.Run.Progress.Start(rep.Job, songs.source.Size+users.source.Size)
	defer j.Run.Progress.Stop()

	defer func() {
		for _, t := range []*table{&songs, &users} {
			if t.txn != nil {
				err = errors.Join(err, t.txn.Abort(ctx))
			}
			rep.RowsIn += t.gate.Rows
			rep.BytesRead += t.source.Size
			for reason, n := range t.gate.Rejected {
				rep.Rejected[reason] += n
			}
		}
	}()
	// Not with a context of the group's: that would end with it, and staged objects live on until they are published.
	var group errgroup.Group
	group.Go(func() error { return j.songs(ctx, &songs) })
	group.Go(func() error { return j.users(ctx, &users) })
	if err := group.Wait(); err != nil {
		return rep, err
	}
	for _, t := range []*table{&songs, &users} {
		if err := t.gate.Check(j.Run.MaxRejectRatio, fmt.Sprintf("quarantine/%s/ in %s", t.gate.Dataset, j.Curated)); err != nil {
			return rep, err
		}
		if err := t.txn.Ready(); err != nil {
			return rep, err
		}
	}
	for _, t := range []*table{&songs, &users} {
		if _, err := t.txn.Commit(ctx); err != nil {
			return rep, err
		}
		rep.RowsOut += t.rowsOut
		rep.Collapsed += t.gate.Rows - t.gate.Total() - t.rowsOut
		rep.BytesWritten += t.object.Size
		rep.Objects++
	}
	return rep, nil
}

// find stats the one source of a table, plain or gzipped.
func (j *Job) find(ctx context.Context, key string) (blob.Object, error) {
	plain, err := j.Raw.Stat(ctx, key)
	if err != nil && !errors.Is(err, blob.ErrNotExist) {
		return plain, fmt.Errorf("look for %s in %s: %w", key, j.Raw, err)
	}
	zipped, zerr := j.Raw.Stat(ctx, key+".gz")
	if zerr != nil && !errors.Is(zerr, blob.ErrNotExist) {
		return zipped, fmt.Errorf("look for %s.gz in %s: %w", key, j.Raw, zerr)
	}
	switch {
	case err == nil && zerr == nil:
		return plain, fmt.Errorf("both %s and %s.gz are in %s: which is it? Remove one", key, key, j.Raw)
	case err != nil && zerr != nil:
		return plain, fmt.Errorf("there is neither %s nor %s.gz in %s: put it there, or name the right place with --raw", key, key, j.Raw)
	case err != nil:
		return zipped, nil
	}
	return plain, nil
}

// read ingests a table's source: parts are given to emit in order, rejects to quarantine and gate.
func read[T any](ctx context.Context, j *Job, t *table, s schema.Table, worker func() ingest.Worker[T], emit func(T)) error {
	q, err := quality.OpenQuarantine(ctx, j.Curated, t.gate.Dataset)
	if err != nil {
		return err
	}
	file := q.File(t.source.Key, t.source.Key[len("metadata/"):])
	defer file.Abort(ctx)
	r := &ingest.Reader[T]{Bucket: j.Raw, Objects: []blob.Object{t.source}, Table: s, Threads: j.Run.Threads,
		ChunkSize: chunkSize, Progress: j.Run.Progress, NewWorker: worker}
	r.Emit = func(p ingest.Part[T]) error {
		t.gate.Add(p.Records, p.Rejects)
		emit(p.Value)
		return file.Add(ctx, p.Line, p.Rejects)
	}
	if err := r.Read(ctx); err != nil {
		return err
	}
	return file.Close(ctx)
}

// write stages the table's Parquet object.
func (j *Job) write(ctx context.Context, t *table, d lake.Dataset, s schema.Table, cols []parquetio.ColumnData) error {
	o, err := t.txn.Stage(ctx, d.Name+".parquet")
	if err != nil {
		return err
	}
	if err := parquetio.WriteTable(o, s, cols, j.Run.Threads); err != nil {
		return fmt.Errorf("write %s in %s: %w", o.Key, j.Curated, err)
	}
	t.rowsOut = int64(len(cols[0].Codes))
	o.Rows = t.rowsOut
	o.Source = &lake.Source{Key: t.source.Key, Size: t.source.Size, ETag: t.source.ETag, Rows: t.gate.Rows, Rejected: t.gate.Rejected}
	t.object = o
	t.txn.Finish(o)
	return nil
}

// begin starts to replace a dataset, and stops at once where foreign objects forbid it.
func (j *Job) begin(ctx context.Context, t *table, d lake.Dataset) (err error) {
	if t.txn, err = d.Begin(ctx, j.Run); err != nil {
		return err
	}
	return t.txn.CheckForeign()
}

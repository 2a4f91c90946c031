package integrate

import (
	"context"
	"errors"
	"fmt"

	"mss/internal/blob"
	"mss/internal/ingest"
	"mss/internal/lake"
	"mss/internal/ledger"
	"mss/internal/parquetio"
	"mss/internal/quality"
	"mss/internal/report"
	"mss/internal/schema"
)

// playBytes is a little less than what a play takes as CSV.
const playBytes = 44

// writer carries a plan out.
type writer struct {
	job     *Job
	txn     *lake.Txn
	plan    *plan
	rep     *report.Job
	rejects *quality.Quarantine
	out     output
	gate    quality.Gate // of what this run reads
	total   quality.Gate // of the whole dataset

	unknownTracks, unknownUsers int64

	twice twice
	// barren are the raw objects of which every row was rejected.
	barren []string
}

func (w *writer) run(ctx context.Context, meta metadata) error {
	var read, again []item
	w.twice = findGone(w.plan.items)
	for _, it := range w.plan.items {
		action := it.action
		switch {
		case it.action.Reads():
			read = append(read, it)
		case it.replay:
			again = append(again, it)
			action = ledger.Metadata
		case it.action != ledger.Removed:
			w.keep(it.entry)
		}
		w.rep.Sources[string(action)]++
	}
	if len(read)+len(again) > 0 {
		if err := w.write(ctx, meta, read, again); err != nil {
			return err
		}
	}
	if w.rep.Plays+w.gate.Total() != w.gate.Rows {
		return fmt.Errorf("%d rows in, but %d plays and %d rejects; this is a fault of mss, nothing was published", w.gate.Rows, w.rep.Plays, w.gate.Total())
	}
	if err := w.total.Check(w.job.Run.MaxRejectRatio, "quarantine/streams/ in "+w.job.Curated.String()); err != nil {
		return errors.Join(err, w.txn.PublishBeside(ctx))
	}
	if !w.plan.changed {
		return nil
	}
	if err := w.removeRejects(ctx); err != nil {
		return err
	}
	_, err := w.txn.Commit(ctx)
	return err
}

// keep takes an entry over as it is.
func (w *writer) keep(e lake.Entry) {
	w.txn.Keep(e)
	w.include(e)
}

// include counts a source of the dataset that this run did not read.
func (w *writer) include(e lake.Entry) {
	w.total.Include(e.Source.Rows, e.Source.Rejected)
	w.addTotal(e)
}

// addTotal counts what an entry adds to the dataset.
func (w *writer) addTotal(e lake.Entry) {
	t := &w.rep.Total
	t.Sources++
	t.RowsIn += e.Source.Rows
	t.RowsOut += e.Rows
	t.Plays += e.Plays
	t.Rejected += e.Source.TotalRejected()
	w.twice.look(&e)
	if e.Plays == 0 && e.Source.Rows > 0 {
		w.barren = append(w.barren, e.Source.Key)
	}
}

// removeRejects drops the quarantine files of sources that are removed.
func (w *writer) removeRejects(ctx context.Context) error {
	for _, it := range w.plan.items {
		if it.action != ledger.Removed || it.entry.Source.TotalRejected() == 0 {
			continue
		}
		if err := w.openRejects(ctx); err != nil {
			return err
		}
		w.rejects.Remove(it.name)
	}
	return nil
}

func (w *writer) openRejects(ctx context.Context) (err error) {
	if w.rejects == nil {
		w.rejects, err = quality.OpenQuarantine(ctx, w.job.Curated, w.txn, "streams")
	}
	return err
}

// write reads sources and joins them, and joins those again whose raw objects are gone.
func (w *writer) write(ctx context.Context, meta metadata, read, again []item) error {
	run := w.job.Run
	dim, err := meta.dimension(ctx)
	if err != nil {
		return err
	}
	if err := w.openRejects(ctx); err != nil {
		return err
	}
	var intend []lake.Planned
	var sources []blob.Object
	largest := int64(0)
	for _, it := range read {
		intend = append(intend, lake.Planned{Data: it.name + ".parquet", Beside: quality.Key("streams", it.name)})
		sources = append(sources, it.source)
		largest = max(largest, it.source.Size)
	}
	for _, it := range again {
		intend = append(intend, lake.Planned{Data: it.name + ".parquet"})
	}
	if err := w.txn.Intend(ctx, intend); err != nil {
		return err
	}
	run.Progress.Start(w.rep.Job, ingest.TotalBytes(sources))
	defer run.Progress.Stop()
	groups := make(chan *parquetio.Group, run.Threads+2)
	plays := min(largest, ingest.ChunkSize)/playBytes + 1
	r := &ingest.Reader[result]{Bucket: w.job.Raw, Objects: sources, Table: schema.RawStreams, Threads: run.Threads, Progress: run.Progress,
		NewWorker: func() ingest.Worker[result] { return newWorker(dim, groups, plays) }}
	r.Emit = func(p ingest.Part[result]) error {
		err := w.emit(ctx, read[p.Object], p)
		recycle(groups, p.Value.group)
		return err
	}
	err = r.Read(ctx)
	w.rep.RowsIn = w.gate.Rows
	if w.gate.Rejected != nil {
		w.rep.Rejected = w.gate.Rejected
	}
	if err != nil || len(again) == 0 {
		return err
	}
	joiner := newWorker(dim, groups, plays)
	for _, it := range again {
		if err := w.replay(ctx, joiner, it); err != nil {
			return err
		}
	}
	return nil
}

func recycle(groups chan *parquetio.Group, g *parquetio.Group) {
	if g == nil {
		return
	}
	select {
	case groups <- g:
	default:
	}
}

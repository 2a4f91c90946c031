package integrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mss/internal/ingest"
	"mss/internal/lake"
	"mss/internal/ledger"
	"mss/internal/parquetio"
	"mss/internal/quality"
	"mss/internal/report"
	"mss/internal/schema"
)

// output is the object that is being written, for the source whose parts are emitted.
type output struct {
	object  *lake.Object
	writer  *parquetio.Writer
	rejects *quality.File
	gate    quality.Gate // of this source alone

	first, last int64 // times of plays; no plays, no times
}

// begin stages the output of a source.
func (w *writer) begin(ctx context.Context, it item) (err error) {
	w.out = output{}
	if w.out.object, err = w.txn.Stage(ctx, it.name+".parquet"); err != nil {
		return err
	}
	w.out.object.Metadata = w.plan.metadata
	w.out.writer = parquetio.NewWriter(w.out.object, schema.Transformed)
	return nil
}

// emit writes a chunk behind those before it of the same source.
func (w *writer) emit(ctx context.Context, it item, p ingest.Part[result]) error {
	if w.out.object == nil {
		if err := w.begin(ctx, it); err != nil {
			return err
		}
		w.out.rejects = w.rejects.File(it.source.Key, it.name)
	}
	w.out.gate.Add(p.Records, p.Rejects)
	if err := w.out.rejects.Add(ctx, p.Line, p.Rejects); err != nil {
		return err
	}
	if err := w.append(it, p.Value); err != nil || !p.Last {
		return err
	}
	s := it.source
	w.out.object.Source = &lake.Source{Key: s.Key, Size: s.Size, ETag: s.ETag, Hash: p.Hash, Weak: s.Weak,
		Rows: w.out.gate.Rows, Rejected: w.out.gate.Rejected}
	w.rep.BytesRead += s.Size
	w.rep.Inputs = append(w.rep.Inputs, report.Input{Key: s.Key, Size: s.Size, ETag: s.ETag, Why: string(it.action)})
	return w.finish(ctx, it)
}

// append adds a row group to the output.
func (w *writer) append(it item, res result) error {
	if res.group == nil {
		return nil
	}
	o := w.out.object
	if res.primary != res.plays {
		return fmt.Errorf("integrate %s: %d plays, but %d primary rows; is songs.parquet damaged? Run `mss run metadata --full`", it.name, res.plays, res.primary)
	}
	if err := w.out.writer.Append(res.group); err != nil {
		return fmt.Errorf("write %s in %s: %w", o.Key, w.job.Curated, err)
	}
	if o.Plays == 0 {
		w.out.first, w.out.last = res.first, res.last
	}
	w.out.first, w.out.last = min(w.out.first, res.first), max(w.out.last, res.last)
	o.Rows += res.rows
	o.Plays += res.plays
	w.unknownTracks += res.unknownTracks
	w.unknownUsers += res.unknownUsers
	return nil
}

// finish ends the output of a source that was read. A new or replaced one that turns out to lie outside the range of the run is dropped.
func (w *writer) finish(ctx context.Context, it item) error {
	o := w.out.object
	if err := w.close(); err != nil {
		return err
	}
	either := it.action == ledger.New || it.action == ledger.Replaced
	if either && w.job.ranged() && !w.job.inRange(&o.Entry) {
		w.rep.Sources[string(it.action)]--
		w.rep.Sources[string(ledger.Outside)]++
		w.plan.outside++
		if it.action == ledger.Replaced {
			w.keep(it.entry)
		}
		rejects := w.out.rejects
		w.out = output{}
		return errors.Join(w.txn.Drop(ctx, o), rejects.Drop(ctx))
	}
	w.gate.Include(w.out.gate.Rows, w.out.gate.Rejected)
	w.total.Include(w.out.gate.Rows, w.out.gate.Rejected)
	w.rep.RowsOut += o.Rows
	w.rep.Plays += o.Plays
	w.rep.Objects++
	w.rep.BytesWritten += o.Size
	w.addTotal(o.Entry)
	rejects := w.out.rejects
	w.out = output{}
	return rejects.Close()
}

// close ends the Parquet object.
func (w *writer) close() error {
	o := w.out.object
	if err := w.out.writer.Close(); err != nil {
		return fmt.Errorf("write %s in %s: %w", o.Key, w.job.Curated, err)
	}
	if o.Plays > 0 {
		o.First, o.Last = timeText(w.out.first), timeText(w.out.last)
	}
	w.txn.Finish(o)
	return nil
}

// timeText is a time as the snapshot has it.
func timeText(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.000000")
}

// replay joins a source again, of which there is only the output of an earlier run.
func (w *writer) replay(ctx context.Context, joiner *worker, it item) error {
	if err := w.begin(ctx, it); err != nil {
		return err
	}
	o := w.out.object
	src := *it.entry.Source
	o.Source = &src
	err := w.job.replay(ctx, joiner, it.entry, func(res result) error {
		err := w.append(it, res)
		recycle(joiner.groups, res.group)
		return err
	})
	if err == nil && o.Plays != it.entry.Plays {
		err = fmt.Errorf("integrate %s: its object holds %d plays, its snapshot says %d; this is a fault of mss, nothing was published", it.name, o.Plays, it.entry.Plays)
	}
	if err == nil {
		err = w.close()
	}
	if err != nil {
		return err
	}
	w.total.Include(src.Rows, src.Rejected)
	w.rep.Objects++
	w.rep.BytesRead += it.entry.Size
	w.rep.BytesWritten += o.Size
	w.addTotal(o.Entry)
	w.out = output{}
	return nil
}

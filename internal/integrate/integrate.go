// Package integrate is the second job, and the hot path: every play, left-joined with its songs and its user, one Parquet object
// for each source object.
//
// A chunk of a source (package ingest) becomes a row group, in three passes over columns: scan (csvio.Plays) and look up
// (trackIndex, userIndex) by batches of some thousand plays; cluster and expand (encoder); encode pages
// (parquetio.Group). Everything works on dictionary codes; no text is touched between the lookup and the dictionary page.
package integrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mss/internal/blob"
	"mss/internal/ingest"
	"mss/internal/lake"
	"mss/internal/parquetio"
	"mss/internal/quality"
	"mss/internal/report"
	"mss/internal/schema"
)

// streams is the prefix of the plays in the raw place.
const streams = "streams/"

// playBytes is a little less than what a play takes as CSV.
const playBytes = 44

// Job joins the plays of streams/ with the metadata of job one.
type Job struct {
	Raw, Curated blob.Bucket
	Run          *lake.Run
}

// output is the object that is being written, for the source whose parts are emitted.
type output struct {
	object  *lake.Object
	writer  *parquetio.Writer
	rejects *quality.File
	gate    quality.Gate // of this source alone
}

// Execute runs the job.
func (j *Job) Execute(ctx context.Context) (rep report.Job, err error) {
	rep = report.Job{Job: "integrate", Rejected: map[string]int64{}}
	began := time.Now()
	defer func() { rep.Finish(time.Since(began)) }()

	d := lake.Transformed(j.Curated)
	txn, err := d.Begin(ctx, j.Run)
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
	sources, err := ingest.Sources(ctx, j.Raw, streams)
	if err != nil {
		return rep, err
	}
	if len(sources) == 0 {
		if n := txn.Published(); n > 0 {
			return rep, fmt.Errorf("there are no plays below %s in %s, but %s holds %d objects; nothing was deleted: name the right place with --raw, or delete %s yourself",
				streams, j.Raw, d, n, d.Prefix)
		}
		j.Run.Log.Warn("there are no plays: no .csv or .csv.gz below "+streams, "raw", j.Raw.String())
	}
	dim, err := LoadDimension(ctx, j.Curated, j.Run)
	if err != nil {
		return rep, err
	}
	quarantine, err := quality.OpenQuarantine(ctx, j.Curated, "streams")
	if err != nil {
		return rep, err
	}
	j.Run.Progress.Start(rep.Job, ingest.TotalBytes(sources))
	defer j.Run.Progress.Stop()

	gate := quality.Gate{Dataset: "streams"}
	var out output
	var unknownTracks, unknownUsers int64
	groups := make(chan *parquetio.Group, j.Run.Threads+2)
	largest := int64(0)
	for _, o := range sources {
		largest = max(largest, o.Size)
	}
	plays := min(largest, ingest.ChunkSize)/playBytes + 1
	r := &ingest.Reader[result]{Bucket: j.Raw, Objects: sources, Table: schema.RawStreams, Threads: j.Run.Threads, Progress: j.Run.Progress,
		NewWorker: func() ingest.Worker[result] { return newWorker(dim, groups, plays) }}
	r.Emit = func(p ingest.Part[result]) error {
		res := p.Value
		unknownTracks += res.unknownTracks
		unknownUsers += res.unknownUsers
		gate.Add(p.Records, p.Rejects)
		if err := j.emit(ctx, txn, &out, sources[p.Object], quarantine, p); err != nil {
			return err
		}
		rep.RowsOut += res.rows
		rep.Plays += res.plays
		if res.group != nil {
			select {
			case groups <- res.group:
			default:
			}
		}
		if p.Last {
			rep.Objects++
			rep.BytesRead += sources[p.Object].Size
			rep.BytesWritten += out.object.Size
			out = output{}
		}
		return nil
	}
	err = r.Read(ctx)
	if out.rejects != nil {
		out.rejects.Abort(ctx)
	}
	rep.RowsIn, rep.Rejected = gate.Rows, gate.Rejected
	if rep.Rejected == nil {
		rep.Rejected = map[string]int64{}
	}
	if err != nil {
		return rep, err
	}
	if rep.Plays+gate.Total() != gate.Rows {
		return rep, fmt.Errorf("%d rows in, but %d plays and %d rejects; this is a fault of mss, nothing was published", gate.Rows, rep.Plays, gate.Total())
	}
	if err := gate.Check(j.Run.MaxRejectRatio, quarantine.String()); err != nil {
		return rep, err
	}
	if _, err := txn.Commit(ctx); err != nil {
		return rep, err
	}
	if unknownTracks+unknownUsers > 0 {
		j.Run.Log.Info("plays of tracks or users that the metadata lacks are kept, with NULLs", "tracks", unknownTracks, "users", unknownUsers)
	}
	return rep, nil
}

// emit writes a chunk behind those before it of the same source.
func (j *Job) emit(ctx context.Context, txn *lake.Txn, out *output, source blob.Object, quarantine *quality.Quarantine, p ingest.Part[result]) error {
	res := p.Value
	if out.object == nil {
		name := strings.TrimPrefix(source.Key, streams)
		var err error
		if out.object, err = txn.Stage(ctx, name+".parquet"); err != nil {
			return err
		}
		out.writer = parquetio.NewWriter(out.object, schema.Transformed)
		out.rejects = quarantine.File(source.Key, name)
	}
	out.gate.Add(p.Records, p.Rejects)
	if err := out.rejects.Add(ctx, p.Line, p.Rejects); err != nil {
		return err
	}
	if res.group != nil {
		if res.primary != res.plays {
			return fmt.Errorf("integrate %s: %d plays, but %d primary rows; is songs.parquet damaged? Run `mss run metadata` again", source.Key, res.plays, res.primary)
		}
		if err := out.writer.Append(res.group); err != nil {
			return fmt.Errorf("write %s in %s: %w", out.object.Key, j.Curated, err)
		}
		out.object.Rows += res.rows
		out.object.Plays += res.plays
	}
	if !p.Last {
		return nil
	}
	if err := out.writer.Close(); err != nil {
		return fmt.Errorf("write %s in %s: %w", out.object.Key, j.Curated, err)
	}
	out.object.Source = &lake.Source{Key: source.Key, Size: source.Size, ETag: source.ETag, Rows: out.gate.Rows, Rejected: out.gate.Rejected}
	txn.Finish(out.object)
	return out.rejects.Close(ctx)
}

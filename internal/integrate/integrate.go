// Package integrate is the second job, and the hot path: every play, left-joined with its songs and its user, one Parquet object
// for each source object.
//
// A chunk of a source (package ingest) becomes a row group, in three passes over columns: scan (csvio.Plays) and look up
// (trackIndex, userIndex) by batches of some thousand plays; cluster and expand (encoder); encode pages
// (parquetio.Group). Everything works on dictionary codes; no text is touched between the lookup and the dictionary page.
//
// A run reads only the sources that are new or have changed (plan.go), as long as songs and users are what they were; else it
// joins all of them again. A source whose raw object is gone is joined again from its own output (replay.go).
package integrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mss/internal/blob"
	"mss/internal/ingest"
	"mss/internal/lake"
	"mss/internal/ledger"
	"mss/internal/quality"
	"mss/internal/report"
)

// Job joins the plays of streams/ with the metadata of job one.
type Job struct {
	Raw, Curated blob.Bucket
	Run          *lake.Run
	Options
}

// Execute runs the job.
func (j *Job) Execute(ctx context.Context) (rep report.Job, err error) {
	rep = report.Job{Job: "integrate", Rejected: map[string]int64{}, Sources: map[string]int{}}
	began := time.Now()
	defer func() { rep.Finish(time.Since(began)) }()

	txn, err := lake.Transformed(j.Curated).Begin(ctx, j.Run)
	if err != nil {
		return rep, err
	}
	defer func() {
		if aerr := txn.Abort(ctx); aerr != nil {
			err = errors.Join(err, aerr)
		}
	}()
	sources, err := j.sources(ctx, txn)
	if err != nil {
		return rep, err
	}
	meta, err := findMetadata(ctx, j.Curated, j.Run)
	if err != nil {
		return rep, err
	}
	p, err := j.makePlan(ctx, txn, sources, meta.id())
	if err != nil {
		return rep, err
	}
	w := &writer{job: j, txn: txn, plan: p, rep: &rep, gate: quality.Gate{Dataset: "streams"}, total: quality.Gate{Dataset: "streams"}}
	if err := w.run(ctx, meta); err != nil {
		return rep, err
	}
	j.tell(p, w)
	return rep, nil
}

// Check finds what would stop the job, as far as that can be known before the jobs ahead of it have published anything.
func (j *Job) Check(ctx context.Context) error {
	if !j.ranged() {
		return nil
	}
	old, err := j.Run.Snapshot(ctx, lake.Transformed(j.Curated))
	if err != nil {
		return err
	}
	return j.checkRange(old)
}

// Plan says what Execute would do, and writes nothing. Anew says that songs and users are made anew before it, so that there is
// nothing to compare them with yet.
func (j *Job) Plan(ctx context.Context, anew bool) (report.Plan, error) {
	out := report.Plan{Job: "integrate"}
	txn, err := lake.Transformed(j.Curated).Begin(ctx, j.Run)
	if err != nil {
		return out, err
	}
	sources, err := j.sources(ctx, txn)
	if err != nil {
		return out, err
	}
	id := "made anew"
	if !anew {
		meta, err := findMetadata(ctx, j.Curated, j.Run)
		if err != nil {
			return out, err
		}
		id = meta.id()
	}
	p, err := j.makePlan(ctx, txn, sources, id)
	if err != nil {
		return out, err
	}
	for _, it := range p.items {
		s := report.PlannedSource{Key: streams + it.name, Action: string(it.action), Size: it.source.Size, Read: it.action.Reads() || it.replay}
		if it.replay {
			s.Action = string(ledger.Metadata)
			out.Bytes += it.entry.Size
		}
		if it.action.Reads() {
			out.Bytes += s.Size
		}
		if s.Read {
			out.Objects++
		}
		if it.action == ledger.Removed {
			out.Deletes++
		}
		out.Sources = append(out.Sources, s)
	}
	txn.PlanForeign(&out)
	if p.behind > 0 {
		out.Because = append(out.Because, fmt.Sprintf("%d sources stay joined with songs and users as they were, by --on-metadata-change keep", p.behind))
	}
	if p.outside > 0 {
		out.Because = append(out.Because, fmt.Sprintf("%d sources have changed, but lie outside --from and --to", p.outside))
	}
	return out, nil
}

// sources lists the raw objects, and checks what stops a run at once.
func (j *Job) sources(ctx context.Context, txn *lake.Txn) ([]blob.Object, error) {
	if err := txn.CheckForeign(); err != nil {
		return nil, err
	}
	sources, err := ingest.Sources(ctx, j.Raw, streams)
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		if old := txn.Old(); j.OnMissing == Remove && old != nil && len(old.Objects) > 0 {
			return nil, fmt.Errorf("there are no plays below %s in %s, but %s holds %d objects; nothing was deleted: name the right place with --raw, or delete the objects yourself",
				streams, j.Raw, lake.Transformed(j.Curated), len(old.Objects))
		}
		j.Run.Log.Warn("there are no plays: no .csv or .csv.gz below "+streams, "raw", j.Raw.String())
	}
	return sources, nil
}

// tell logs what the figures do not say.
func (j *Job) tell(p *plan, w *writer) {
	if w.unknownTracks+w.unknownUsers > 0 {
		j.Run.Log.Info("plays of tracks or users that the metadata lacks are kept, with NULLs", "tracks", w.unknownTracks, "users", w.unknownUsers)
	}
	if found := w.barren; len(found) > 0 {
		j.Run.Log.Warn("raw objects of which every row was rejected: their days are missing in the figures; quarantine/streams/ says why, correct and replace them",
			"objects", len(found), "such_as", found[0])
	}
	if found := w.twice.copies; len(found) > 0 {
		j.Run.Log.Warn("raw objects hold the same bytes, so each of their plays counts twice; delete the copies, and say --on-missing-source remove "+
			"once, which gives up the plays of all raw objects that are gone", "objects", len(found), "such_as", found[0])
	}
	if found := w.twice.zipped; len(found) > 0 {
		j.Run.Log.Warn("raw objects have the same name with and without .gz, and all of their plays count: if one is the other, compressed, delete one, and say "+
			"--on-missing-source remove once, which gives up the plays of all raw objects that are gone", "pairs", len(found), "such_as", found[0])
	}
	if found := w.twice.renamed; len(found) > 0 {
		j.Run.Log.Warn("raw objects look like others that are gone, whose plays are kept: if they were renamed, their plays count twice; "+
			"--on-missing-source remove gives up the plays of all raw objects that are gone", "objects", len(found), "such_as", found[0])
	}
	if n := w.rep.Sources[string(ledger.Vanished)]; n > 0 {
		j.Run.Log.Info("raw objects that were read before are gone; their plays are kept", "objects", n)
	}
	if p.behind > 0 {
		j.Run.Log.Warn("songs or users have changed, and by --on-metadata-change keep plays stay joined with the old ones: the figures are not those of a full run", "sources", p.behind)
	}
	if p.outside > 0 {
		j.Run.Log.Warn("sources outside --from and --to have changed, and stay as they were: the figures are not those of a full run", "sources", p.outside)
	}
}

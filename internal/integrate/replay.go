package integrate

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mss/internal/lake"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// playColumns are the columns of mss-transformed that a play consists of.
var playColumns = func() (cols []schema.Column) {
	for _, name := range []string{"user_id", "track_id", "listen_time", "is_primary"} {
		cols = append(cols, schema.Transformed.Columns[schema.Transformed.Index(name)])
	}
	return cols
}()

// replay joins the plays of a source again whose raw object is gone: it reads them from the object of the last run, and gives each of its
// row groups to emit.
//
// The result is the one that the raw object would give. A row group is a chunk of it; the rows with is_primary are its plays, each
// once; and those of one track are in the order of the raw object, which is all that the encoder's output depends on.
func (j *Job) replay(ctx context.Context, w *worker, e lake.Entry, emit func(result) error) error {
	d := lake.Transformed(j.Curated)
	fail := func(err error) error { return fmt.Errorf("read %s: %s: %w", d, e.Key, err) }
	obj, err := j.Curated.Stat(ctx, e.Key)
	if err != nil {
		return fail(err)
	}
	in, err := j.Curated.Open(ctx, obj)
	if err != nil {
		return fail(err)
	}
	defer in.Close()
	f, err := parquetio.Open(in, obj.Size)
	if err != nil {
		return fail(err)
	}
	var b parquetio.BatchReader
	for rg := range f.NumRowGroups() {
		if err := b.Reset(f, rg, playColumns); err != nil {
			return fail(err)
		}
		w.clear()
		var res result
		for {
			rec, err := b.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return fail(err)
			}
			w.addPlays(rec, &res)
		}
		w.encode(&res)
		if err := emit(res); err != nil {
			return err
		}
	}
	return nil
}

// addPlays adds the primary rows of a batch of playColumns.
func (w *worker) addPlays(rec arrow.Record, res *result) {
	users, tracks, times := valuesOf(rec.Column(0)), valuesOf(rec.Column(1)), valuesOf(rec.Column(2))
	primary := rec.Column(3).(*array.Boolean)
	var user [1]int64
	for i := range int(rec.NumRows()) {
		if !primary.Value(i) {
			continue
		}
		id := []byte(tracks.values.(*array.String).Value(tracks.at(i)))
		code := w.tracks.code(id)
		if code == none {
			res.unknownTracks++
			code = uint32(w.dim.track.Dict.Len()) + w.newTrack(id)
		}
		w.track = append(w.track, code)
		user[0] = users.values.(*array.Int64).Value(users.at(i))
		w.user = w.dim.users.lookup(user[:], w.user)
		res.unknownUsers += w.extendUsers(len(w.user)-1, user[:])
		w.time = append(w.time, int64(times.values.(*array.Timestamp).Value(times.at(i))))
	}
}

// decoded is a column, plain or dictionary.
type decoded struct {
	values  arrow.Array
	indices *array.Int32 // nil when plain
}

func valuesOf(a arrow.Array) decoded {
	if d, ok := a.(*array.Dictionary); ok {
		return decoded{d.Dictionary(), d.Indices().(*array.Int32)}
	}
	return decoded{values: a}
}

func (d decoded) at(i int) int {
	if d.indices == nil {
		return i
	}
	return int(d.indices.Value(i))
}

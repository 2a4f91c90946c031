package metadata

import (
	"cmp"
	"context"
	"slices"

	"mss/internal/csvio"
	"mss/internal/ingest"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// user is a row of users.csv.
type user struct {
	id        int64
	created   int64 // microseconds since 1970-01-01
	noCreated bool
}

type userWorker struct{ csvio.Rows }

// Collect reads the chunk that was begun to its end.
func (w *userWorker) Collect() ([]user, error) {
	var users []user
	for {
		v, ok, err := w.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return users, nil
		}
		users = append(users, user{v[0].Int, v[1].Int, v[1].Null})
	}
}

// users reads, collapses and stages users.parquet.
func (j *Job) users(ctx context.Context, t *table) error {
	var all []user
	err := read(ctx, j, t, schema.RawUsers, func() ingest.Worker[[]user] { return &userWorker{} },
		func(part []user) { all = append(all, part...) })
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b user) int {
		return cmp.Or(cmp.Compare(a.id, b.id), nullRank(a.noCreated, b.noCreated), cmp.Compare(a.created, b.created))
	})
	if j.Run.Semantics == schema.Corrected {
		all = slices.CompactFunc(all, func(a, b user) bool { return a.id == b.id })
	}
	return j.write(ctx, t, schema.Users, []parquetio.ColumnData{
		intColumn(schema.Int64, all, func(u user) (int64, bool) { return u.id, false }),
		intColumn(schema.Timestamp, all, func(u user) (int64, bool) { return u.created, u.noCreated }),
	})
}

package oracle

import (
	"database/sql"
	"fmt"

	_ "modernc.org/sqlite" // the engine of the three jobs

	"mss/internal/schema"
)

// Source is an object of the raw place: its key, and its content when decompressed.
type Source struct {
	Key  string
	Data []byte
}

// Input is a raw place.
type Input struct {
	Songs, Users Source
	Streams      []Source
}

// Result is all that the three jobs make of an Input. The order of data rows means nothing.
type Result struct {
	Songs       [][]any            // columns of schema.Songs
	Users       [][]any            // columns of schema.Users
	Transformed map[string][][]any // columns of schema.Transformed, by the key of the source
	KPI         []schema.KPI       // genres by bytes, the one without name last, then hours 0 to 23
	Rejects     map[string][]Reject
	RowsIn      map[string]int64 // by dataset: songs, users, streams
	Plays       int64
}

// Compute runs the three jobs.
func Compute(in Input, semantics schema.Semantics) (*Result, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	e := &engine{db: db, res: &Result{
		Transformed: map[string][][]any{}, Rejects: map[string][]Reject{}, RowsIn: map[string]int64{},
	}}
	e.exec(create)
	e.load(in.Songs, schema.RawSongs, `INSERT INTO raw_songs VALUES (?, ?, ?, ?, ?, ?)`)
	e.load(in.Users, schema.RawUsers, `INSERT INTO raw_users VALUES (?, ?)`)
	for _, s := range in.Streams {
		e.load(s, schema.RawStreams, `INSERT INTO plays (user_id, track_id, listen_time, source) VALUES (?, ?, ?, ?)`, s.Key)
	}
	e.exec(songs, semantics == schema.Glue)
	e.exec(users, semantics == schema.Glue)
	e.exec(transformed)
	for _, v := range e.query(`SELECT track_id, artists, track_name, popularity, duration_ms, genre, is_primary FROM songs`) {
		e.res.Songs = append(e.res.Songs, withBool(v))
	}
	e.res.Users = e.query(`SELECT user_id, created_at FROM users`)
	for _, s := range in.Streams {
		e.res.Transformed[s.Key] = nil // also an object without rows is an output
	}
	for _, v := range e.query(`SELECT source, user_id, track_id, listen_time, artists, track_name, popularity,
			duration_ms, genre, created_at, is_primary FROM transformed`) {
		source := v[0].(string)
		e.res.Transformed[source] = append(e.res.Transformed[source], withBool(v[1:]))
	}
	for _, v := range e.query(`SELECT count(*) FROM plays`) {
		e.res.Plays = v[0].(int64)
	}
	e.genres(semantics)
	e.hours(semantics)
	if e.err != nil {
		return nil, fmt.Errorf("oracle: %w", e.err)
	}
	return e.res, nil
}

// engine keeps the first error, so that the steps read as a list.
type engine struct {
	db  *sql.DB
	res *Result
	err error
}

// load reads a source into a table, its values followed by the extra ones.
func (e *engine) load(s Source, table schema.Table, insert string, extra ...any) {
	if e.err != nil {
		return
	}
	rows, rejects, err := ReadCSV(s.Data, table)
	if err != nil {
		e.err = fmt.Errorf("%s: %w", s.Key, err)
		return
	}
	e.res.RowsIn[table.Name] += int64(len(rows) + len(rejects))
	if len(rejects) > 0 {
		e.res.Rejects[s.Key] = rejects
	}
	tx, err := e.db.Begin()
	if err != nil {
		e.err = err
		return
	}
	defer func() { e.err = tx.Commit() }()
	stmt, err := tx.Prepare(insert)
	if err != nil {
		e.err = err
		return
	}
	for _, r := range rows {
		if _, err := stmt.Exec(append(r.Values, extra...)...); err != nil {
			panic(fmt.Sprintf("%s line %d: %v", s.Key, r.Line, err))
		}
	}
}

func (e *engine) exec(text string, args ...any) {
	if e.err == nil {
		_, e.err = e.db.Exec(text, args...)
	}
}

func (e *engine) query(text string, args ...any) (out [][]any) {
	if e.err != nil {
		return nil
	}
	rows, err := e.db.Query(text, args...)
	if err != nil {
		e.err = err
		return nil
	}
	defer rows.Close()
	cols, _ := rows.Columns()
	for rows.Next() {
		v := make([]any, len(cols))
		p := make([]any, len(cols))
		for i := range v {
			p[i] = &v[i]
		}
		if e.err = rows.Scan(p...); e.err != nil {
			return nil
		}
		out = append(out, v)
	}
	e.err = rows.Err()
	return out
}

// withBool turns the last value, which SQLite holds as 0 or 1, into a bool.
func withBool(v []any) []any {
	last := len(v) - 1
	v[last] = v[last] == int64(1)
	return v
}

// Object is the key, below the curated place, of the Parquet object that a stream source gives.
func Object(source string) string {
	return "mss-transformed/" + source[len("streams/"):] + ".parquet"
}

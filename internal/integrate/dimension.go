package integrate

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/parquetio"
	"mss/internal/schema"
)

// column is a column of a dimension: a sorted dictionary, and its code for each row, none for NULL.
type column = parquetio.ColumnData

// Dimension is what plays are joined with: the songs and users of the first job, as dictionary codes. It is not changed
// after it was made, but for what the sync.Onces guard, so workers share it.
type Dimension struct {
	tracks *trackIndex
	users  *userIndex

	// Songs. Row numbers are those of songs.parquet, sorted by track; firstSong[t] to firstSong[t+1] are the rows of track t.
	track, artists, name, popularity, duration, genre column
	primary                                           []uint32 // 1 for the one row of each track
	firstSong                                         []uint32
	byGenre                                           []uint32 // row numbers in the order of genre (NULL last), then track

	// Users. Row numbers are those of users.parquet, sorted by user; firstUser[u] to firstUser[u+1] are the rows of user u: one,
	// but under glue semantics.
	user, created column
	firstUser     []uint32
	manyUsers     bool // some user has several rows

	songsOnce, usersOnce sync.Once // dictionaries are compressed
}

// metadata are the snapshots of songs and users that a run joins plays with.
type metadata struct {
	curated      blob.Bucket
	songs, users *lake.Snapshot
}

// findMetadata reads the snapshots.
func findMetadata(ctx context.Context, curated blob.Bucket, run *lake.Run) (m metadata, err error) {
	m.curated = curated
	if m.songs, err = lake.Songs(curated).Require(ctx, run, "metadata"); err != nil {
		return m, err
	}
	m.users, err = lake.Users(curated).Require(ctx, run, "metadata")
	return m, err
}

// id identifies the content of songs.parquet and users.parquet, and the semantics: plays that were joined under another id are to be
// joined again.
func (m metadata) id() string {
	id := string(m.songs.Semantics)
	for _, s := range []*lake.Snapshot{m.songs, m.users} {
		for _, e := range s.Objects {
			id += fmt.Sprintf(" %s/%d/%d/%s", s.Dataset, e.Rows, e.Size, e.CRC32C)
		}
	}
	return id
}

// dimension reads songs.parquet and users.parquet.
func (m metadata) dimension(ctx context.Context) (*Dimension, error) {
	songs, err := loadTable(ctx, lake.Songs(m.curated), m.songs, schema.Songs)
	if err != nil {
		return nil, err
	}
	users, err := loadTable(ctx, lake.Users(m.curated), m.users, schema.Users)
	if err != nil {
		return nil, err
	}
	return newDimension(songs, users), nil
}

// loadTable reads a dataset of one object, columns in the order of the table.
func loadTable(ctx context.Context, d lake.Dataset, snap *lake.Snapshot, table schema.Table) ([]column, error) {
	objects, err := d.Objects(ctx, snap)
	if err != nil {
		return nil, err
	}
	if len(objects) != 1 {
		return nil, fmt.Errorf("read %s: its snapshot lists %d objects, want 1; run `mss run metadata` again", d, len(objects))
	}
	in, err := d.Bucket.Open(ctx, objects[0])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d, err)
	}
	defer in.Close()
	f, err := parquetio.Open(in, objects[0].Size)
	if err != nil {
		return nil, fmt.Errorf("read %s: %s: %w", d, objects[0].Key, err)
	}
	cols, err := parquetio.ReadTable(f, table.Columns)
	if err != nil {
		return nil, fmt.Errorf("read %s: %s: %w", d, objects[0].Key, err)
	}
	if !slices.IsSorted(cols[0].Codes) {
		return nil, fmt.Errorf("read %s: the rows of %s are not in the order that mss writes; run `mss run metadata` again", d, objects[0].Key)
	}
	return cols, nil
}

func newDimension(songs, users []column) *Dimension {
	d := &Dimension{track: songs[0], artists: songs[1], name: songs[2], popularity: songs[3], duration: songs[4],
		genre: songs[5], primary: songs[6].Codes, user: users[0], created: users[1]}
	d.tracks = newTrackIndex(d.track.Dict)
	d.users = newUserIndex(d.user.Dict)
	d.firstSong = firstRows(d.track)
	d.firstUser = firstRows(d.user)
	d.manyUsers = len(d.user.Codes) > d.user.Dict.Len()
	d.byGenre = orderBy(d.genre)
	return d
}

// compressSongs compresses the dictionaries of songs, once for all row groups that take them whole.
func (d *Dimension) compressSongs() {
	d.songsOnce.Do(func() { compress(&d.track, &d.artists, &d.name, &d.popularity, &d.duration, &d.genre) })
}

// compressUsers does the same for the users'.
func (d *Dimension) compressUsers() { d.usersOnce.Do(func() { compress(&d.user, &d.created) }) }

func compress(cols ...*column) {
	for _, c := range cols {
		c.Dict.Compress()
	}
}

// orderBy gives the row numbers in the order of a column's codes, NULL last, by counting; equal ones stay in the order of the rows.
func orderBy(c column) []uint32 {
	n := c.Dict.Len()
	place := func(code uint32) uint32 { return min(code, uint32(n)) } // none is the greatest code
	next := make([]uint32, n+2)
	for _, code := range c.Codes {
		next[place(code)+1]++
	}
	for i := 1; i < len(next); i++ {
		next[i] += next[i-1]
	}
	order := make([]uint32, len(c.Codes))
	for row, code := range c.Codes {
		p := place(code)
		order[next[p]] = uint32(row)
		next[p]++
	}
	return order
}

// firstRows finds where the rows of each code begin, in rows sorted by it; one entry more ends the last.
func firstRows(c column) []uint32 {
	first := make([]uint32, c.Dict.Len()+1)
	for _, code := range c.Codes {
		first[code+1]++
	}
	for i := 1; i < len(first); i++ {
		first[i] += first[i-1]
	}
	return first
}

package catalog

import (
	"context"
	"strings"

	"mss/internal/blob"
	"mss/internal/lake"
	"mss/internal/schema"
)

// The names of the tables. AliasTable is TransformedTable under a name that engines take without quotes.
const (
	SongsTable       = "processed_songs_table"
	UsersTable       = "processed_users_table"
	TransformedTable = "dim-music-streaming"
	AliasTable       = "dim_music_streaming"
	KPITable         = "kpi_table"
)

// Names are the names of all tables.
var Names = []string{SongsTable, UsersTable, TransformedTable, AliasTable, KPITable}

// ProbeTable is the table that a test of one's rights makes and removes. Only it is ever deleted.
const ProbeTable = "mss_doctor"

// kpiType is the partition key of KPITable.
var kpiType = Column{Name: "kpi_type", Type: "string"}

// Describe reads the snapshots of the lake. The tables come in the order of Names, without those of datasets that have
// no snapshot.
func Describe(ctx context.Context, curated, analytics blob.Bucket) ([]Table, error) {
	for _, b := range []blob.Bucket{curated, analytics} {
		if err := CheckPlace(b.String()); err != nil {
			return nil, err
		}
	}
	var tables []Table
	for _, d := range []struct {
		dataset  lake.Dataset
		describe func(lake.Dataset, *lake.Snapshot) []Table
	}{
		{lake.Songs(curated), songs}, {lake.Users(curated), users},
		{lake.Transformed(curated), transformed}, {lake.KPIOutput(analytics), kpis},
	} {
		s, err := d.dataset.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		if s != nil {
			tables = append(tables, d.describe(d.dataset, s)...)
		}
	}
	return tables, nil
}

func songs(d lake.Dataset, s *lake.Snapshot) []Table {
	return []Table{table(SongsTable, "Songs: one row for each track and genre.", schema.Songs, d, s)}
}

func users(d lake.Dataset, s *lake.Snapshot) []Table {
	t := table(UsersTable, "Users: one row for each user.", schema.Users, d, s)
	if s.Semantics == schema.Corrected { // under the other, users repeat
		t.column("user_id").Stats = &ColumnStats{Distinct: t.Stats.Rows}
	}
	return []Table{t}
}

func transformed(d lake.Dataset, s *lake.Snapshot) []Table {
	t := table(TransformedTable, "Plays, with their song and their user. A play has one row with is_primary.", schema.Transformed, d, s)
	t.column("is_primary").Stats = &ColumnStats{Trues: s.Plays, Falses: t.Stats.Rows - s.Plays}
	alias := t
	alias.Name = AliasTable
	return []Table{t, alias}
}

func kpis(d lake.Dataset, s *lake.Snapshot) []Table {
	t := table(KPITable, "KPIs, per genre and per hour: the audit copy of public.kpi_table.", schema.KPIFile, d, s)
	t.PartitionKeys = []Column{kpiType}
	for _, kind := range []string{schema.Genre, schema.Hourly} {
		folder := kpiType.Name + "=" + kind + "/"
		t.Partitions = append(t.Partitions, Partition{
			Values: []string{kind}, Location: t.Location + folder, Stats: count(s, d.Prefix+folder),
		})
	}
	return []Table{t}
}

func table(name, description string, columns schema.Table, d lake.Dataset, s *lake.Snapshot) Table {
	t := Table{Name: name, Description: description, Location: location(d), Stats: count(s, d.Prefix)}
	for _, c := range columns.Columns {
		t.Columns = append(t.Columns, Column{Name: c.Name, Type: hive(c.Kind)})
	}
	return t
}

func (t *Table) column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	panic("catalog: table " + t.Name + " has no column " + name)
}

func location(d lake.Dataset) string { return d.Bucket.String() + "/" + d.Prefix }

// count adds up the objects below a prefix.
func count(s *lake.Snapshot, prefix string) Stats {
	var sum Stats
	for _, e := range s.Objects {
		if strings.HasPrefix(e.Key, prefix) {
			sum.Rows += e.Rows
			sum.Bytes += e.Size
			sum.Objects++
		}
	}
	return sum
}

// hive is the type of a column in the words that Hive, Glue and Athena share.
func hive(k schema.Kind) string {
	return [...]string{
		schema.Int64: "bigint", schema.Double: "double", schema.String: "string", schema.Timestamp: "timestamp", schema.Bool: "boolean",
	}[k]
}

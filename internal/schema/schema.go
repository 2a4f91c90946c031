// Package schema names the tables of mss: their columns, types, nulls and order.
// It is a leaf: every other package may import it, it imports none of them.
//
// The tables and what each number means are specified in docs/contract.md.
package schema

// Kind is the type of a column.
type Kind uint8

// The kinds of column that mss stores.
const (
	Int64     Kind = iota // signed 64-bit integer
	Double                // IEEE 754 double
	String                // UTF-8 text
	Timestamp             // int64 microseconds since 1970-01-01, no zone
	Bool
)

func (k Kind) String() string {
	return [...]string{"int64", "double", "string", "timestamp", "bool"}[k]
}

// Column is one column of a table.
type Column struct {
	Name     string
	Kind     Kind
	Nullable bool
	Source   string // header of the column in the CSV, where that is another name
	BareDate bool   // a Timestamp that may be a date alone, meaning midnight
}

// Header is the name of the column in the CSV header.
func (c Column) Header() string {
	if c.Source != "" {
		return c.Source
	}
	return c.Name
}

// Table is a named list of columns, in the order in which they are stored.
type Table struct {
	Name    string
	Columns []Column
}

// Index is the position of the named column, or -1.
func (t Table) Index(name string) int {
	for i, c := range t.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// The raw inputs. A column that is not Nullable is required in each row.
var (
	RawSongs = Table{"songs", []Column{
		{Name: "track_id", Kind: String},
		{Name: "artists", Kind: String, Nullable: true},
		{Name: "track_name", Kind: String, Nullable: true},
		{Name: "popularity", Kind: Int64, Nullable: true},
		{Name: "duration_ms", Kind: Int64, Nullable: true},
		{Name: "genre", Kind: String, Nullable: true, Source: "track_genre"},
	}}
	RawUsers = Table{"users", []Column{
		{Name: "user_id", Kind: Int64},
		{Name: "created_at", Kind: Timestamp, Nullable: true, BareDate: true},
	}}
	RawStreams = Table{"streams", []Column{
		{Name: "user_id", Kind: Int64},
		{Name: "track_id", Kind: String},
		{Name: "listen_time", Kind: Timestamp},
	}}
)

// The outputs.
var (
	Songs = Table{"songs", append(append([]Column{}, withoutSource(RawSongs.Columns)...),
		Column{Name: "is_primary", Kind: Bool})}
	Users       = Table{"users", RawUsers.Columns}
	Transformed = Table{"mss-transformed", []Column{
		{Name: "user_id", Kind: Int64},
		{Name: "track_id", Kind: String},
		{Name: "listen_time", Kind: Timestamp},
		{Name: "artists", Kind: String, Nullable: true},
		{Name: "track_name", Kind: String, Nullable: true},
		{Name: "popularity", Kind: Int64, Nullable: true},
		{Name: "duration_ms", Kind: Int64, Nullable: true},
		{Name: "genre", Kind: String, Nullable: true},
		{Name: "created_at", Kind: Timestamp, Nullable: true},
		{Name: "is_primary", Kind: Bool},
	}}
	// KPIFile is a KPI object: the partition column kpi_type is in its path, not in the file.
	KPIFile = Table{"kpi_output", []Column{
		{Name: "group_by", Kind: String, Nullable: true},
		{Name: "genre_listen_count", Kind: Int64},
		{Name: "genre_avg_duration", Kind: Double, Nullable: true},
		{Name: "genre_popularity_index", Kind: Double, Nullable: true},
		{Name: "top_track", Kind: String, Nullable: true},
		{Name: "top_artist", Kind: String, Nullable: true},
	}}
)

func withoutSource(cols []Column) []Column {
	out := append([]Column{}, cols...)
	for i := range out {
		out[i].Source = ""
	}
	return out
}

// Semantics says how duplicates in the metadata count, see docs/contract.md section 3.
type Semantics string

// The two semantics.
const (
	Corrected Semantics = "corrected"
	Glue      Semantics = "glue"
)

// The values of KPI.Type that mss owns.
const (
	Genre  = "genre"
	Hourly = "hourly"
)

// KPI is one row of kpi_table. A nil pointer is NULL.
type KPI struct {
	Type        string   // kpi_type: Genre or Hourly
	GroupBy     *string  // the genre, or the hour "0" to "23"
	ListenCount int64    // genre_listen_count: rows, or distinct users
	AvgDuration *float64 // genre_avg_duration: milliseconds, or distinct tracks per play
	Popularity  *float64 // genre_popularity_index: 0 to 100; nil for hours
	TopTrack    *string
	TopArtist   *string
}

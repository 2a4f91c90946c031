package e2e

import (
	"bytes"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"mss/internal/schema"
)

// wantType is the physical and the logical type of each kind of column.
var wantType = map[schema.Kind]string{
	schema.Int64:     "INT64",
	schema.Double:    "DOUBLE",
	schema.Bool:      "BOOLEAN",
	schema.String:    "BYTE_ARRAY STRING",
	schema.Timestamp: "INT64 TIMESTAMP(isAdjustedToUTC=false,unit=MICROS)",
}

func typeOf(e format.SchemaElement) string {
	s := e.Type.V.String()
	// A signed integer of the physical type's own size may say so or not.
	if l := e.LogicalType.String(); l != "" && l != "INT(64,true)" {
		s += " " + l
	}
	return s
}

// TestLayout looks at the names of the objects and at their footers: what other engines go by.
func TestLayout(t *testing.T) {
	s := newSite(t, plenty(100))
	s.must(t, "run", "all")
	objects := s.data(t)
	want := map[string]schema.Table{
		"curated/processed-metadata/songs/songs.parquet":   schema.Songs,
		"curated/processed-metadata/users/users.parquet":   schema.Users,
		"curated/mss-transformed/a.csv.parquet":            schema.Transformed,
		"analytics/kpi_output/kpi_type=genre/kpi.parquet":  schema.KPIFile,
		"analytics/kpi_output/kpi_type=hourly/kpi.parquet": schema.KPIFile,
	}
	for key := range objects {
		if _, ok := want[key]; !ok {
			t.Errorf("%s is not wanted", key)
		}
	}
	for key, table := range want {
		t.Run(key, func(t *testing.T) {
			data := objects[key]
			f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			elements := f.Metadata().Schema[1:]
			if len(elements) != len(table.Columns) {
				t.Fatalf("%d columns, want %d", len(elements), len(table.Columns))
			}
			for i, c := range table.Columns {
				e := elements[i]
				if e.Name != c.Name {
					t.Errorf("column %d is %s, want %s", i, e.Name, c.Name)
				}
				if got := typeOf(e); got != wantType[c.Kind] {
					t.Errorf("%s is %s, want %s", c.Name, got, wantType[c.Kind])
				}
				if c.Nullable && e.RepetitionType.V != format.Optional {
					t.Errorf("%s cannot be NULL", c.Name)
				}
			}
			for _, group := range f.Metadata().RowGroups {
				for _, chunk := range group.Columns {
					if chunk.MetaData.Codec != format.Snappy {
						t.Errorf("%v is compressed with %s", chunk.MetaData.PathInSchema, chunk.MetaData.Codec)
					}
				}
			}
		})
	}
	all, more := s.everything(t, "curated"), s.everything(t, "analytics")
	for _, key := range append(names(all, "_mss/"), names(more, "_mss/")...) {
		if strings.HasSuffix(key, ".parquet") {
			t.Errorf("%s looks like data", key)
		}
	}
}

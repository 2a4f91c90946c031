package catalog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/catalog"
	"mss/internal/lake"
)

func put(t *testing.T, b blob.Bucket, dataset, snapshot string) {
	t.Helper()
	if _, err := b.Write(t.Context(), "_mss/"+dataset+"/snapshot.json", []byte(snapshot), blob.Cond{}); err != nil {
		t.Fatal(err)
	}
}

func TestDescribe(t *testing.T) {
	curated, analytics := memblob.New("s3://lab1-curateddata/a"), memblob.New("s3://lab1-analytics")
	got, err := catalog.Describe(t.Context(), curated, analytics)
	if err != nil || len(got) != 0 {
		t.Errorf("a lake that no job has written to: %v, %v", got, err)
	}
	put(t, curated, "songs", `{"format":1,"dataset":"songs","semantics":"corrected","objects":[
		{"key":"processed-metadata/songs/songs.parquet","size":1000,"rows":40}]}`)
	put(t, curated, "users", `{"format":1,"dataset":"users","semantics":"corrected","objects":[
		{"key":"processed-metadata/users/users.parquet","size":500,"rows":7}]}`)
	put(t, curated, "mss-transformed", `{"format":1,"dataset":"mss-transformed","semantics":"corrected","plays":90,"objects":[
		{"key":"mss-transformed/a.csv.parquet","size":2000,"rows":100,"plays":80},
		{"key":"mss-transformed/b/c.csv.parquet","size":300,"rows":20,"plays":10}]}`)
	put(t, analytics, "kpi_output", `{"format":1,"dataset":"kpi_output","semantics":"corrected","objects":[
		{"key":"kpi_output/kpi_type=genre/kpi.parquet","size":70,"rows":5},
		{"key":"kpi_output/kpi_type=hourly/kpi.parquet","size":60,"rows":24}]}`)
	if got, err = catalog.Describe(t.Context(), curated, analytics); err != nil {
		t.Fatal(err)
	}
	var names []string
	by := map[string]catalog.Table{}
	for _, table := range got {
		names = append(names, table.Name)
		by[table.Name] = table
	}
	if !slices.Equal(names, catalog.Names) {
		t.Errorf("tables %v, want %v", names, catalog.Names)
	}
	for name, want := range map[string]struct {
		location, columns string
		stats             catalog.Stats
	}{
		"processed_songs_table": {"s3://lab1-curateddata/a/processed-metadata/songs/",
			"track_id string, artists string, track_name string, popularity bigint, duration_ms bigint, genre string, is_primary boolean",
			catalog.Stats{Rows: 40, Bytes: 1000, Objects: 1}},
		"processed_users_table": {"s3://lab1-curateddata/a/processed-metadata/users/", "user_id bigint, created_at timestamp",
			catalog.Stats{Rows: 7, Bytes: 500, Objects: 1}},
		"dim-music-streaming": {"s3://lab1-curateddata/a/mss-transformed/", transformed, catalog.Stats{Rows: 120, Bytes: 2300, Objects: 2}},
		"dim_music_streaming": {"s3://lab1-curateddata/a/mss-transformed/", transformed, catalog.Stats{Rows: 120, Bytes: 2300, Objects: 2}},
		"kpi_table": {"s3://lab1-analytics/kpi_output/",
			"group_by string, genre_listen_count bigint, genre_avg_duration double, genre_popularity_index double, top_track string, top_artist string",
			catalog.Stats{Rows: 29, Bytes: 130, Objects: 2}},
	} {
		table := by[name]
		var columns []string
		for _, c := range table.Columns {
			columns = append(columns, c.Name+" "+c.Type)
		}
		if table.Location != want.location || strings.Join(columns, ", ") != want.columns || table.Stats != want.stats {
			t.Errorf("%s: %+v", name, table)
		}
	}
	if st := by["dim-music-streaming"].Columns[9].Stats; st == nil || *st != (catalog.ColumnStats{Trues: 90, Falses: 30}) {
		t.Errorf("is_primary: %+v", st)
	}
	if st := by["processed_users_table"].Columns[0].Stats; st == nil || *st != (catalog.ColumnStats{Distinct: 7}) {
		t.Errorf("user_id: %+v", st)
	}
	parts := by["kpi_table"].Partitions
	if len(parts) != 2 || parts[0].Values[0] != "genre" || parts[0].Location != "s3://lab1-analytics/kpi_output/kpi_type=genre/" ||
		parts[1].Stats != (catalog.Stats{Rows: 24, Bytes: 60, Objects: 1}) {
		t.Errorf("partitions: %+v", parts)
	}
}

const transformed = "user_id bigint, track_id string, listen_time timestamp, artists string, track_name string, popularity bigint, " +
	"duration_ms bigint, genre string, created_at timestamp, is_primary boolean"

// Under --semantics glue users repeat, so their number is no number of distinct ids.
func TestStatisticsThatAreNotKnown(t *testing.T) {
	curated, analytics := memblob.New("s3://c"), memblob.New("s3://a")
	put(t, curated, "users", `{"format":1,"dataset":"users","semantics":"glue","objects":[{"key":"processed-metadata/users/users.parquet","rows":7}]}`)
	got, err := catalog.Describe(t.Context(), curated, analytics)
	if err != nil || len(got) != 1 || got[0].Columns[0].Stats != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFoldersHaveNoCatalog(t *testing.T) {
	_, err := catalog.Describe(t.Context(), memblob.New("lake/curated"), memblob.New("s3://a"))
	if !errors.Is(err, lake.ErrUsage) || !strings.Contains(err.Error(), "lake/curated") {
		t.Error(err)
	}
}

package glue_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	sdk "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"mss/internal/awsconfig"
	"mss/internal/catalog"
	"mss/internal/catalog/glue"
	"mss/internal/mototest"
)

// tables are two as they are after a run with n plays.
func tables(n int64) []catalog.Table {
	return []catalog.Table{
		{
			Name: "dim-music-streaming", Description: "Plays.", Location: "s3://c/mss-transformed/",
			Columns: []catalog.Column{{Name: "user_id", Type: "bigint"}, {Name: "listen_time", Type: "timestamp"},
				{Name: "is_primary", Type: "boolean", Stats: &catalog.ColumnStats{Trues: n, Falses: 3}}},
			Stats: catalog.Stats{Rows: n + 3, Bytes: 10 * (n + 3), Objects: 1},
		},
		{
			Name: "kpi_table", Location: "s3://a/kpi_output/", Columns: []catalog.Column{{Name: "group_by", Type: "string"}},
			PartitionKeys: []catalog.Column{{Name: "kpi_type", Type: "string"}}, Stats: catalog.Stats{Rows: 29, Bytes: 100, Objects: 2},
			Partitions: []catalog.Partition{
				{Values: []string{"genre"}, Location: "s3://a/kpi_output/kpi_type=genre/", Stats: catalog.Stats{Rows: 5, Bytes: 60, Objects: 1}},
				{Values: []string{"hourly"}, Location: "s3://a/kpi_output/kpi_type=hourly/", Stats: catalog.Stats{Rows: n, Bytes: 40, Objects: 1}},
			},
		},
	}
}

type site struct {
	*glue.Catalog
	server *mototest.Server
	client *sdk.Client // to look behind mss's back
}

func newSite(t *testing.T) *site {
	t.Helper()
	server := mototest.New(t)
	mototest.Setenv(t, server.URL)
	c, err := glue.Open(t.Context(), awsconfig.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &site{c, server, sdk.NewFromConfig(cfg)}
}

// apply returns the actions, by table.
func (s *site) apply(t *testing.T, tables []catalog.Table, dry bool) map[string]catalog.Action {
	t.Helper()
	changes, err := s.Apply(t.Context(), catalog.Database, tables, dry)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]catalog.Action{}
	for _, c := range changes {
		got[c.Table.Name] = c.Action
	}
	return got
}

func (s *site) table(t *testing.T, name string) *types.Table {
	t.Helper()
	out, err := s.client.GetTable(t.Context(), &sdk.GetTableInput{DatabaseName: aws.String(catalog.Database), Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.Table
}

func (s *site) versions(t *testing.T, name string) int {
	t.Helper()
	out, err := s.client.GetTableVersions(t.Context(), &sdk.GetTableVersionsInput{DatabaseName: aws.String(catalog.Database), TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.TableVersions)
}

func all(a catalog.Action) map[string]catalog.Action {
	return map[string]catalog.Action{"dim-music-streaming": a, "kpi_table": a}
}

func expect(t *testing.T, what string, got, want map[string]catalog.Action) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestTablesAreMadeAsAthenaReadsThem(t *testing.T) {
	s := newSite(t)
	expect(t, "dry", s.apply(t, tables(100), true), all(catalog.Created))
	if n := s.server.Count("AWSGlue.CreateTable"); n != 0 {
		t.Fatalf("a dry run created %d tables", n)
	}
	expect(t, "first", s.apply(t, tables(100), false), all(catalog.Created))

	got := s.table(t, "dim-music-streaming")
	sd := got.StorageDescriptor
	if aws.ToString(got.TableType) != "EXTERNAL_TABLE" || aws.ToString(sd.Location) != "s3://c/mss-transformed/" ||
		aws.ToString(sd.InputFormat) != "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat" ||
		aws.ToString(sd.OutputFormat) != "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat" ||
		aws.ToString(sd.SerdeInfo.SerializationLibrary) != "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" {
		t.Errorf("table %+v, storage %+v", got, sd)
	}
	if text := columnText(sd.Columns); text != "user_id bigint, listen_time timestamp, is_primary boolean" {
		t.Errorf("columns %s", text)
	}
	for name, want := range map[string]string{"EXTERNAL": "TRUE", "classification": "parquet", "recordCount": "103", "sizeKey": "1030",
		"objectCount": "1", "averageRecordSize": "10"} {
		if got.Parameters[name] != want {
			t.Errorf("parameter %s is %q, want %q", name, got.Parameters[name], want)
		}
	}
	kpi := s.table(t, "kpi_table")
	if columnText(kpi.PartitionKeys) != "kpi_type string" {
		t.Errorf("partition keys %s", columnText(kpi.PartitionKeys))
	}
	out, err := s.client.GetPartitions(t.Context(), &sdk.GetPartitionsInput{DatabaseName: aws.String(catalog.Database), TableName: aws.String("kpi_table")})
	if err != nil || len(out.Partitions) != 2 {
		t.Fatalf("partitions %+v, %v", out, err)
	}
	for _, p := range out.Partitions {
		if want := "s3://a/kpi_output/kpi_type=" + p.Values[0] + "/"; aws.ToString(p.StorageDescriptor.Location) != want ||
			columnText(p.StorageDescriptor.Columns) != "group_by string" {
			t.Errorf("partition %s: %+v", p.Values, p.StorageDescriptor)
		}
	}
	stats, err := s.client.GetColumnStatisticsForTable(t.Context(), &sdk.GetColumnStatisticsForTableInput{
		DatabaseName: aws.String(catalog.Database), TableName: aws.String("dim-music-streaming"), ColumnNames: []string{"is_primary"}})
	if err != nil || len(stats.ColumnStatisticsList) != 1 || stats.ColumnStatisticsList[0].StatisticsData.BooleanColumnStatisticsData.NumberOfTrues != 100 {
		t.Errorf("statistics %+v, %v", stats, err)
	}
}

func columnText(cols []types.Column) string {
	var all []string
	for _, c := range cols {
		all = append(all, aws.ToString(c.Name)+" "+aws.ToString(c.Type))
	}
	return strings.Join(all, ", ")
}

// What has not changed is not written: no request but reads, and no new version.
func TestNothingNewMakesNoVersion(t *testing.T) {
	s := newSite(t)
	s.apply(t, tables(100), false)
	writes := func() int {
		n := 0
		for _, op := range []string{"CreateTable", "UpdateTable", "BatchCreatePartition", "UpdatePartition", "UpdateColumnStatisticsForTable"} {
			n += s.server.Count("AWSGlue." + op)
		}
		return n
	}
	before := writes()
	for range 3 {
		expect(t, "again", s.apply(t, tables(100), false), all(catalog.Unchanged))
	}
	if n := writes() - before; n != 0 {
		t.Errorf("%d writes, though nothing changed", n)
	}
	if n := s.versions(t, "dim-music-streaming"); n != 1 {
		t.Errorf("%d versions, want 1", n)
	}
	expect(t, "dry", s.apply(t, tables(200), true), all(catalog.Statistics))
	expect(t, "more plays", s.apply(t, tables(200), false), all(catalog.Statistics))
	// moto makes a version all the same.
	if body := string(s.server.Last("AWSGlue.UpdateTable")); !strings.Contains(body, `"SkipArchive":true`) {
		t.Errorf("statistics make a version of the table: %s", body)
	}
	if got := s.table(t, "dim-music-streaming").Parameters["recordCount"]; got != "203" {
		t.Errorf("recordCount %s", got)
	}
	expect(t, "then", s.apply(t, tables(200), false), all(catalog.Unchanged))

	moved := tables(200)
	moved[0].Location = "s3://elsewhere/mss-transformed/"
	want := all(catalog.Unchanged)
	want["dim-music-streaming"] = catalog.Redefined
	expect(t, "moved", s.apply(t, moved, false), want)
	if body := string(s.server.Last("AWSGlue.UpdateTable")); strings.Contains(body, `"SkipArchive":true`) {
		t.Errorf("another definition makes no version of the table: %s", body)
	}
	if got := aws.ToString(s.table(t, "dim-music-streaming").StorageDescriptor.Location); got != moved[0].Location {
		t.Errorf("location %s", got)
	}
}

// Glue's own job made these tables before; what people wrote to them stays.
func TestTablesOfAnotherAreTakenOver(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	db := aws.String(catalog.Database)
	if _, err := s.client.CreateDatabase(ctx, &sdk.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: db}}); err != nil {
		t.Fatal(err)
	}
	_, err := s.client.CreateTable(ctx, &sdk.CreateTableInput{DatabaseName: db, TableInput: &types.TableInput{
		Name: aws.String("dim-music-streaming"), Description: aws.String("ours"), Owner: aws.String("bi"),
		TableType: aws.String("EXTERNAL_TABLE"), Parameters: map[string]string{"team": "bi", "classification": "parquet"},
		StorageDescriptor: &types.StorageDescriptor{
			Location: aws.String("s3://c/mss-transformed/"),
			Columns:  []types.Column{{Name: aws.String("user_id"), Type: aws.String("int"), Comment: aws.String("who")}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := all(catalog.Created)
	want["dim-music-streaming"] = catalog.Redefined
	expect(t, "taken over", s.apply(t, tables(1), false), want)
	got := s.table(t, "dim-music-streaming")
	if aws.ToString(got.Description) != "ours" || aws.ToString(got.Owner) != "bi" || got.Parameters["team"] != "bi" ||
		aws.ToString(got.StorageDescriptor.Columns[0].Comment) != "who" || aws.ToString(got.StorageDescriptor.Columns[0].Type) != "bigint" {
		t.Errorf("%+v %+v", got, got.StorageDescriptor)
	}
	expect(t, "again", s.apply(t, tables(1), false), all(catalog.Unchanged))
}

func TestForeignPartitionsStay(t *testing.T) {
	s := newSite(t)
	s.apply(t, tables(1), false)
	_, err := s.client.CreatePartition(t.Context(), &sdk.CreatePartitionInput{DatabaseName: aws.String(catalog.Database), TableName: aws.String("kpi_table"),
		PartitionInput: &types.PartitionInput{Values: []string{"weekly"}, StorageDescriptor: &types.StorageDescriptor{Location: aws.String("s3://x/")}}})
	if err != nil {
		t.Fatal(err)
	}
	s.apply(t, tables(2), false)
	out, err := s.client.GetPartitions(t.Context(), &sdk.GetPartitionsInput{DatabaseName: aws.String(catalog.Database), TableName: aws.String("kpi_table")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range out.Partitions {
		got = append(got, fmt.Sprintf("%s %s", p.Values[0], p.Parameters["recordCount"]))
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"genre 5", "hourly 2", "weekly "}) {
		t.Errorf("partitions %q", got)
	}
}

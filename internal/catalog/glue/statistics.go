package glue

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"mss/internal/catalog"
)

// columnStatistics writes what is known of single columns, where it differs. IAM knows no actions of these names: they
// need glue:GetTable and glue:UpdateTable.
func (c *Catalog) columnStatistics(ctx context.Context, database string, t catalog.Table, dry bool) (changed bool, err error) {
	wanted := map[string]*types.ColumnStatisticsData{}
	kinds := map[string]string{}
	var names []string
	for _, col := range t.Columns {
		if col.Stats != nil {
			names = append(names, col.Name)
			wanted[col.Name], kinds[col.Name] = statisticsData(col), col.Type
		}
	}
	if len(names) == 0 {
		return false, nil
	}
	out, err := c.client.GetColumnStatisticsForTable(ctx, &glue.GetColumnStatisticsForTableInput{
		DatabaseName: &database, TableName: &t.Name, ColumnNames: names,
	})
	if err != nil && !missing(err) {
		return false, fail(ctx, "read the column statistics of", database, t.Name, "glue:GetTable", err)
	}
	if err == nil {
		for _, s := range out.ColumnStatisticsList {
			if name := aws.ToString(s.ColumnName); sameStatistics(s.StatisticsData, wanted[name]) {
				delete(wanted, name)
			}
		}
	}
	if len(wanted) == 0 || dry {
		return len(wanted) > 0, nil
	}
	var list []types.ColumnStatistics
	for _, name := range names {
		if wanted[name] != nil {
			list = append(list, types.ColumnStatistics{
				ColumnName: aws.String(name), ColumnType: aws.String(kinds[name]), AnalyzedTime: aws.Time(time.Now()), StatisticsData: wanted[name],
			})
		}
	}
	done, err := c.client.UpdateColumnStatisticsForTable(ctx, &glue.UpdateColumnStatisticsForTableInput{
		DatabaseName: &database, TableName: &t.Name, ColumnStatisticsList: list,
	})
	if err != nil {
		return true, fail(ctx, "update the column statistics of", database, t.Name, "glue:UpdateTable", err)
	}
	for _, e := range done.Errors {
		if e.Error != nil {
			return true, fmt.Errorf("update the column statistics of the table %s of the Glue database %s: %s: %s; run `mss catalog sync` again",
				t.Name, database, aws.ToString(e.Error.ErrorCode), aws.ToString(e.Error.ErrorMessage))
		}
	}
	return true, nil
}

func statisticsData(c catalog.Column) *types.ColumnStatisticsData {
	if c.Type == "boolean" {
		return &types.ColumnStatisticsData{Type: types.ColumnStatisticsTypeBoolean, BooleanColumnStatisticsData: &types.BooleanColumnStatisticsData{
			NumberOfNulls: c.Stats.Nulls, NumberOfTrues: c.Stats.Trues, NumberOfFalses: c.Stats.Falses,
		}}
	}
	return &types.ColumnStatisticsData{Type: types.ColumnStatisticsTypeLong, LongColumnStatisticsData: &types.LongColumnStatisticsData{
		NumberOfNulls: c.Stats.Nulls, NumberOfDistinctValues: c.Stats.Distinct,
	}}
}

// sameStatistics compares what mss writes; the least and the greatest value that another may have added are not ours.
func sameStatistics(a, b *types.ColumnStatisticsData) bool {
	switch {
	case a == nil || b == nil || a.Type != b.Type:
		return false
	case a.Type == types.ColumnStatisticsTypeBoolean:
		x, y := a.BooleanColumnStatisticsData, b.BooleanColumnStatisticsData
		return x != nil && x.NumberOfNulls == y.NumberOfNulls && x.NumberOfTrues == y.NumberOfTrues && x.NumberOfFalses == y.NumberOfFalses
	}
	x, y := a.LongColumnStatisticsData, b.LongColumnStatisticsData
	return x != nil && x.NumberOfNulls == y.NumberOfNulls && x.NumberOfDistinctValues == y.NumberOfDistinctValues
}

package oracle

import (
	"fmt"
	"math/big"
	"unicode/utf8"

	"mss/internal/schema"
)

func (e *engine) genres(semantics schema.Semantics) {
	for _, v := range e.query(genreFigures) {
		k := schema.KPI{
			Type: schema.Genre, GroupBy: text(v[0]), ListenCount: v[1].(int64),
			AvgDuration: mean(v[2:5]), Popularity: mean(v[5:8]),
		}
		if v[0] != nil || semantics != schema.Glue {
			for _, top := range e.query(genreTop, v[0]) {
				k.TopTrack, k.TopArtist = text(top[0]), text(top[1])
			}
		}
		e.res.KPI = append(e.res.KPI, k)
	}
}

func (e *engine) hours(semantics schema.Semantics) {
	glue := semantics == schema.Glue
	e.exec(hourly, glue)
	for _, v := range e.query(hourFigures) {
		hour := fmt.Sprint(v[0])
		share := float64(v[2].(int64)) / float64(v[3].(int64))
		k := schema.KPI{Type: schema.Hourly, GroupBy: &hour, ListenCount: v[1].(int64), AvgDuration: &share}
		for _, top := range e.query(hourTop, v[0], glue) {
			k.TopArtist = text(top[0])
		}
		e.res.KPI = append(e.res.KPI, k)
	}
}

// mean divides the exact sum by the count, each as float64. Its values are the count and the
// sums of the upper and the lower 32 bits.
func mean(v []any) *float64 {
	n := v[0].(int64)
	if n == 0 {
		return nil
	}
	sum := new(big.Int).Lsh(big.NewInt(v[1].(int64)), 32)
	sum.Add(sum, big.NewInt(v[2].(int64)))
	f, _ := new(big.Float).SetInt(sum).Float64()
	f /= float64(n)
	return &f
}

func text(v any) *string {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	return &s
}

// Warehouse gives the rows as kpi_table holds them: texts cut to the bytes of their columns.
func Warehouse(rows []schema.KPI) []schema.KPI {
	out := make([]schema.KPI, len(rows))
	for i, k := range rows {
		k.GroupBy, k.TopTrack, k.TopArtist = cut(k.GroupBy, 100), cut(k.TopTrack, 255), cut(k.TopArtist, 255)
		out[i] = k
	}
	return out
}

// cut takes whole characters as long as they fit.
func cut(s *string, bytes int) *string {
	if s == nil {
		return nil
	}
	short := ""
	for _, r := range *s {
		if len(short)+utf8.RuneLen(r) > bytes {
			break
		}
		short += string(r)
	}
	return &short
}

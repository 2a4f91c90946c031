package redshift

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"unicode/utf8"

	"mss/internal/schema"
)

// Widths of the text columns, in bytes, as Redshift counts.
const (
	groupByWidth = 100
	topWidth     = 255
)

// fit makes the rows such that each warehouse can hold them, and all hold the same: texts are cut to their column,
// and what PostgreSQL refuses in a text (NUL, invalid UTF-8) is replaced by U+FFFD. It warns of each. Rows that the
// load could not tell apart afterwards are an error.
func fit(rows []schema.KPI, log *slog.Logger) ([]record, error) {
	records := make([]record, 0, len(rows))
	seen := make(map[key]schema.KPI, len(rows))
	for _, row := range rows {
		if row.Type != schema.Genre && row.Type != schema.Hourly {
			return nil, fmt.Errorf("row of kpi_type %q: want %s or %s", row.Type, schema.Genre, schema.Hourly)
		}
		full := key{row.Type, textOf(row.GroupBy)}
		for column, v := range map[string]*float64{"genre_avg_duration": row.AvgDuration, "genre_popularity_index": row.Popularity} {
			if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
				return nil, fmt.Errorf("row %s: %s is %v, which is no mean of anything", full, column, *v)
			}
		}
		f := fitter{log, full}
		r := record{
			kpiType:   row.Type,
			groupBy:   f.fit("group_by", row.GroupBy, groupByWidth),
			count:     row.ListenCount,
			average:   doubleOf(row.AvgDuration),
			index:     doubleOf(row.Popularity),
			topTrack:  f.fit("top_track", row.TopTrack, topWidth),
			topArtist: f.fit("top_artist", row.TopArtist, topWidth),
		}
		if other, ok := seen[r.key()]; ok {
			return nil, collision(key{other.Type, textOf(other.GroupBy)}, full)
		}
		seen[r.key()] = row
		records = append(records, r)
	}
	return records, nil
}

func collision(a, b key) error {
	if a == b {
		return fmt.Errorf("two rows %s: want one for each key", a)
	}
	return fmt.Errorf("rows %s and %s are one and the same in the %d bytes of group_by; rename one of them in the input", a, b, groupByWidth)
}

// fitter fits the texts of one row.
type fitter struct {
	log *slog.Logger
	row key // as computed
}

func (f fitter) fit(column string, s *string, width int) text {
	if s == nil {
		return text{}
	}
	v := *s
	if strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
		v = strings.ReplaceAll(strings.ToValidUTF8(v, "\uFFFD"), "\x00", "\uFFFD")
		f.log.Warn("text replaced for the warehouse: it holds characters that no warehouse stores", "row", f.row.String(), "column", column)
	}
	if len(v) > width {
		f.log.Warn("text cut for the warehouse: it is longer than its column", "row", f.row.String(), "column", column,
			"bytes", len(v), "width", width)
		v = cut(v, width)
	}
	return text{v, true}
}

// cut shortens valid UTF-8 to at most width bytes, between two characters.
func cut(s string, width int) string {
	for width > 0 && !utf8.RuneStart(s[width]) {
		width--
	}
	return s[:width]
}

func textOf(s *string) text {
	if s == nil {
		return text{}
	}
	return text{*s, true}
}

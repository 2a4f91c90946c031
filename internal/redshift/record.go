package redshift

import (
	"context"
	"fmt"
	"math"
	"strings"
)

// record is one row of kpi_table as the warehouse holds it. Records compare by ==, doubles by their bits.
type record struct {
	kpiType   string
	groupBy   text
	count     int64
	average   double
	index     double
	topTrack  text
	topArtist text
	// odd tells of a value that a row of ours never has, as a NULL count. It makes the row unequal to all of ours.
	odd string
}

type text struct {
	s       string
	notNull bool
}

type double struct {
	bits    uint64
	notNull bool
}

// key identifies a row; NULL equals NULL.
type key struct {
	kpiType string
	groupBy text
}

func (r record) key() key { return key{r.kpiType, r.groupBy} }

// args are the values of the columns, as statement arguments.
func (r record) args() []any {
	return []any{r.kpiType, r.groupBy.arg(), r.count, r.average.arg(), r.index.arg(), r.topTrack.arg(), r.topArtist.arg()}
}

func (t text) arg() any {
	if !t.notNull {
		return nil
	}
	return t.s
}

func (d double) arg() any {
	if !d.notNull {
		return nil
	}
	return math.Float64frombits(d.bits)
}

// doubleOf takes -0, which SQLite does not tell from 0, for 0.
func doubleOf(v *float64) double {
	switch {
	case v == nil:
		return double{}
	case *v == 0:
		return double{0, true}
	}
	return double{math.Float64bits(*v), true}
}

// recordOf reads a row of the warehouse.
func recordOf(values []any) record {
	var r record
	if s := r.textOf(values, 0); s.notNull {
		r.kpiType = s.s
	}
	r.groupBy = r.textOf(values, 1)
	if n, ok := values[2].(int64); ok {
		r.count = n
	} else {
		r.strange(2, values[2])
	}
	r.average = r.doubleOf(values, 3)
	r.index = r.doubleOf(values, 4)
	r.topTrack = r.textOf(values, 5)
	r.topArtist = r.textOf(values, 6)
	return r
}

func (r *record) textOf(values []any, column int) text {
	switch v := values[column].(type) {
	case nil:
		return text{}
	case string:
		return text{v, true}
	}
	r.strange(column, values[column])
	return text{}
}

func (r *record) doubleOf(values []any, column int) double {
	switch v := values[column].(type) {
	case nil:
		return double{}
	case float64:
		return doubleOf(&v)
	}
	r.strange(column, values[column])
	return double{}
}

func (r *record) strange(column int, v any) {
	name := strings.Split(columns, ", ")[column]
	if v == nil {
		r.odd = name + " is NULL"
	} else {
		r.odd = fmt.Sprintf("%s is %v, a %T", name, v, v)
	}
}

// readRecords reads the genre and hourly rows of kpi_table, in any order.
func readRecords(ctx context.Context, s session) ([]record, error) {
	var records []record
	err := s.query(ctx, selectSQL, func([]string) error { return nil }, func(values []any) error {
		records = append(records, recordOf(values))
		return nil
	})
	return records, err
}

func (k key) String() string {
	if !k.groupBy.notNull {
		return k.kpiType + " NULL"
	}
	return fmt.Sprintf("%s %q", k.kpiType, k.groupBy.s)
}

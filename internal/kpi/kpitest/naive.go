package kpitest

import (
	"cmp"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"time"

	"mss/internal/schema"
)

// KPIs computes the KPI rows by the words of the contract.
func KPIs(rows []Row, sem schema.Semantics) []schema.KPI {
	key := func(p *string) string {
		if p == nil {
			return "\xff"
		}
		return *p
	}
	mean := func(values []*int64) *float64 {
		sum, n := new(big.Int), 0
		for _, v := range values {
			if v != nil {
				sum.Add(sum, big.NewInt(*v))
				n++
			}
		}
		if n == 0 {
			return nil
		}
		f, _ := new(big.Float).SetInt(sum).Float64()
		f /= float64(n)
		return &f
	}
	byGenre := map[string][]Row{}
	byHour := map[int][]Row{}
	for _, r := range rows {
		byGenre[key(r.Genre)] = append(byGenre[key(r.Genre)], r)
		if r.Primary || sem == schema.Glue {
			h := time.UnixMicro(r.Time).UTC().Hour()
			byHour[h] = append(byHour[h], r)
		}
	}
	var out []schema.KPI
	for _, g := range sortedKeys(byGenre) {
		rs := byGenre[g]
		k := schema.KPI{Type: schema.Genre, GroupBy: rs[0].Genre, ListenCount: int64(len(rs))}
		var ds, ps []*int64
		top := rs[0]
		for _, r := range rs {
			ds, ps = append(ds, r.Duration), append(ps, r.Popularity)
			rank := func(p *int64) (int, int64) {
				if p == nil {
					return 0, 0
				}
				return 1, *p
			}
			ra, va := rank(r.Popularity)
			rb, vb := rank(top.Popularity)
			if cmp.Or(-cmp.Compare(ra, rb), -cmp.Compare(va, vb), cmp.Compare(key(r.Name), key(top.Name)), cmp.Compare(key(r.Artists), key(top.Artists))) < 0 {
				top = r
			}
		}
		k.AvgDuration, k.Popularity, k.TopTrack, k.TopArtist = mean(ds), mean(ps), top.Name, top.Artists
		if k.GroupBy == nil && sem == schema.Glue {
			k.TopTrack, k.TopArtist = nil, nil
		}
		out = append(out, k)
	}
	for h := range 24 {
		rs := byHour[h]
		if len(rs) == 0 {
			continue
		}
		users, tracks, artists := map[int64]bool{}, map[string]bool{}, map[string]int{}
		for _, r := range rs {
			users[r.User], tracks[r.Track] = true, true
			if r.Artists != nil || sem == schema.Glue {
				artists[key(r.Artists)]++
			}
		}
		name, diversity := strconv.Itoa(h), float64(len(tracks))/float64(len(rs))
		k := schema.KPI{Type: schema.Hourly, GroupBy: &name, ListenCount: int64(len(users)), AvgDuration: &diversity}
		best := ""
		for _, a := range sortedKeys(artists) {
			if best == "" || artists[a] > artists[best] {
				best = a
			}
		}
		if best != "" && best != "\xff" {
			k.TopArtist = &best
		}
		out = append(out, k)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Show is the rows for people.
func Show(rows []schema.KPI) (out string) {
	for _, k := range rows {
		p := func(v any) string {
			if r := reflect.ValueOf(v); !r.IsNil() {
				return fmt.Sprint(r.Elem())
			}
			return "NULL"
		}
		out += fmt.Sprintf("\n  %s %s %d %s %s %s %s", k.Type, p(k.GroupBy), k.ListenCount, p(k.AvgDuration), p(k.Popularity), p(k.TopTrack), p(k.TopArtist))
	}
	return out
}

package oracle

import (
	"bytes"
	"maps"
	"testing"

	"mss/internal/schema"
)

// TestHazards holds the generator to its promise: over a few seeds, everything happens.
func TestHazards(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(12) {
		h := Hazard{Seed: seed, Songs: 200, Users: 30, Plays: 400, Files: 3, Bad: 0.1}
		lake := h.New()
		if !maps.EqualFunc(lake, h.New(), bytes.Equal) {
			t.Fatalf("seed %d makes two lakes", seed)
		}
		dir := t.TempDir()
		if err := lake.Write(dir); err != nil {
			t.Fatal(err)
		}
		back, err := ReadLake(dir)
		if err != nil || !maps.EqualFunc(lake, back, bytes.Equal) {
			t.Fatalf("read back: %v", err)
		}
		in, err := lake.Input()
		if err != nil {
			t.Fatal(err)
		}
		var results []*Result
		for _, s := range []schema.Semantics{schema.Corrected, schema.Glue} {
			res, err := Compute(in, s)
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, res)
			observe(seen, res)
			var primary, hours int64
			for _, rows := range res.Transformed {
				for _, v := range rows {
					if v[9] == true {
						primary++
					}
				}
			}
			if primary != res.Plays {
				t.Errorf("seed %d %s: %d primary rows of %d plays", seed, s, primary, res.Plays)
			}
			for _, k := range res.KPI {
				if k.Type == schema.Hourly {
					hours++
				}
			}
			if hours < 10 {
				t.Errorf("seed %d: %d hours", seed, hours)
			}
		}
		if kpis(results[0].KPI) != kpis(results[1].KPI) {
			seen["semantics differ"] = true
		}
		if len(results[0].Songs) < len(results[1].Songs) && len(results[0].Users) < len(results[1].Users) {
			seen["collapse"] = true
		}
	}
	for _, what := range []string{BadQuoting, FieldCount, InvalidUTF8, MissingKey, BadInteger, BadTimestamp,
		"unknown track", "unknown user", "null genre", "null artists", "null name", "null popularity", "null duration",
		"not primary", "long name", "before 1970", "empty raw", "semantics differ", "collapse"} {
		if !seen[what] {
			t.Errorf("no seed shows: %s", what)
		}
	}
}

func observe(seen map[string]bool, res *Result) {
	for _, rejects := range res.Rejects {
		for _, r := range rejects {
			seen[r.Reason] = true
			seen["empty raw"] = seen["empty raw"] || len(r.Raw) == 0
		}
	}
	for _, rows := range res.Transformed {
		for _, v := range rows {
			known := v[3] != nil || v[4] != nil || v[5] != nil || v[6] != nil || v[7] != nil
			see := func(what string, is bool) { seen[what] = seen[what] || is }
			see("unknown track", !known)
			see("unknown user", v[8] == nil)
			see("null genre", known && v[7] == nil)
			see("null artists", known && v[3] == nil)
			see("null name", known && v[4] == nil)
			see("null popularity", known && v[5] == nil)
			see("null duration", known && v[6] == nil)
			see("not primary", v[9] == false)
			see("before 1970", v[2].(int64) < 0)
			name, _ := v[4].(string)
			see("long name", len(name) > 255)
		}
	}
}

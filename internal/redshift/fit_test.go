package redshift

import (
	"strings"
	"testing"
	"unicode/utf8"

	"mss/internal/kpi"
	"mss/internal/schema"
)

func TestLoadCutsToBytes(t *testing.T) {
	// 253 bytes, then a letter of 2, of 3 or of 4 that ends at 255 or beyond.
	long := strings.Repeat("a", 253)
	cases := map[string]string{
		long + "é":                long + "é",
		long + "é!":               long + "é",
		long + "中":                long,
		long + "x🎵":               long + "x",
		strings.Repeat("é", 128):  strings.Repeat("é", 127),
		strings.Repeat("a", 255):  strings.Repeat("a", 255),
		strings.Repeat("a", 256):  strings.Repeat("a", 255),
		strings.Repeat("🎵", 1000): strings.Repeat("🎵", 63),
	}
	onEach(t, func(t *testing.T, url string) {
		for full, kept := range cases {
			log := new(journal)
			w, err := Open(t.Context(), url, Options{Log: log.logger()})
			if err != nil {
				t.Fatal(err)
			}
			row := genre("jazz", 1)
			row.TopTrack, row.TopArtist = &full, nil
			if _, err := w.Load(t.Context(), []schema.KPI{row}, kpi.LoadOptions{}); err != nil {
				t.Fatal(err)
			}
			if warned := strings.Contains(log.String(), "top_track"); warned != (full != kept) {
				t.Errorf("%d bytes: logged %q", len(full), log)
			}
			if full != kept && !strings.Contains(log.String(), `genre \"jazz\"`) {
				t.Errorf("the warning does not name the row: %s", log)
			}
			// The warehouse holds the cut text, so the next load has nothing to do.
			load(t, w, []schema.KPI{row}, kpi.LoadOptions{}, false)
			got, err := w.Rows(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if *got[0].TopTrack != kept {
				t.Errorf("%q was cut to %q, want %q", full, *got[0].TopTrack, kept)
			}
			w.Close()
		}
	})
}

func TestLoadCutsGroupBy(t *testing.T) {
	full := strings.Repeat("x", 98) + "中中"
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, []schema.KPI{genre(full, 1)}, kpi.LoadOptions{}, true)
		load(t, w, []schema.KPI{genre(full, 1)}, kpi.LoadOptions{KeepStale: true}, false)
		load(t, w, []schema.KPI{genre(full, 2)}, kpi.LoadOptions{KeepStale: true}, true)
		rows, err := w.Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 1 || *rows[0].GroupBy != strings.Repeat("x", 98) || rows[0].ListenCount != 2 {
			t.Errorf("got %+v", rows)
		}
	})
}

func TestLoadCollisionFails(t *testing.T) {
	one, other := strings.Repeat("x", 100)+" of the one", strings.Repeat("x", 100)+" of the other"
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, before(), kpi.LoadOptions{}, true)
		loaded, err := w.Load(t.Context(), []schema.KPI{genre(one, 1), genre("jazz", 99), genre(other, 2)}, kpi.LoadOptions{Always: true})
		if err == nil || loaded || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), other) {
			t.Errorf("loaded %t, error %v", loaded, err)
		}
		wantRows(t, w, before())
		// The same text as a genre and as an hour is no collision.
		load(t, w, []schema.KPI{genre(one, 1), {Type: schema.Hourly, GroupBy: &other}}, kpi.LoadOptions{}, true)
	})
}

func TestFitRefuses(t *testing.T) {
	for name, rows := range map[string][]schema.KPI{
		"a type of others":   {{Type: "daily"}},
		"no type":            {{}},
		"a key twice":        {genre("jazz", 1), genre("jazz", 2)},
		"the NULL key twice": {noGenre(1), noGenre(1)},
	} {
		if _, err := fit(rows, new(journal).logger()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLoadReplacesWhatNoWarehouseStores(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		log := new(journal)
		w, err := Open(t.Context(), url, Options{Log: log.logger()})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		row := genre("a\x00b", 1)
		row.TopTrack, row.TopArtist = p("bad \xff\xfe byte"), p(strings.Repeat("\x00", 200))
		load(t, w, []schema.KPI{row}, kpi.LoadOptions{}, true)
		load(t, w, []schema.KPI{row}, kpi.LoadOptions{}, false)
		got, err := w.Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if *got[0].GroupBy != "a\uFFFDb" || *got[0].TopTrack != "bad \uFFFD byte" || *got[0].TopArtist != strings.Repeat("\uFFFD", 85) {
			t.Errorf("got %q %q %q", *got[0].GroupBy, *got[0].TopTrack, *got[0].TopArtist)
		}
		for _, column := range []string{"group_by", "top_track", "top_artist"} {
			if !strings.Contains(log.String(), "column="+column) {
				t.Errorf("no warning about %s: %s", column, log)
			}
		}
		// What becomes equal by the replacement is told from what was equal.
		_, err = w.Load(t.Context(), []schema.KPI{genre("a\x00b", 1), genre("a\uFFFDb", 1)}, kpi.LoadOptions{})
		if err == nil || !strings.Contains(err.Error(), `a\x00b`) {
			t.Errorf("collision: %v", err)
		}
	})
}

func FuzzCut(f *testing.F) {
	for _, s := range awkward {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		if !utf8.ValidString(s) || width < 0 || width >= len(s) {
			return // nothing to cut
		}
		got := cut(s, width)
		if !utf8.ValidString(got) || !strings.HasPrefix(s, got) || len(got) > width {
			t.Fatalf("cut(%q, %d) = %q", s, width, got)
		}
		_, next := utf8.DecodeRuneInString(s[len(got):])
		if len(got)+next <= width {
			t.Fatalf("cut(%q, %d) = %q, though the next character fits", s, width, got)
		}
	})
}

package redshift

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mss/internal/kpi"
	"mss/internal/schema"
)

func TestLoad(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		wantRows(t, w, nil)
		load(t, w, before(), kpi.LoadOptions{}, true)
		wantRows(t, w, before())

		// The order of rows is no difference.
		rows := before()
		slices.Reverse(rows)
		load(t, w, rows, kpi.LoadOptions{}, false)
		load(t, w, rows, kpi.LoadOptions{Always: true}, true)
		wantRows(t, w, before())

		load(t, w, after(), kpi.LoadOptions{}, true)
		wantRows(t, w, after())
		load(t, w, nil, kpi.LoadOptions{}, true)
		wantRows(t, w, nil)
		load(t, w, nil, kpi.LoadOptions{}, false)

		// What is there is there for the next run as well.
		load(t, w, before(), kpi.LoadOptions{}, true)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again := open(t, url)
		load(t, again, before(), kpi.LoadOptions{}, false)
		wantRows(t, again, before())
	})
}

func TestLoadSeesEachColumn(t *testing.T) {
	changes := map[string]func(*schema.KPI){
		"count":    func(r *schema.KPI) { r.ListenCount++ },
		"average":  func(r *schema.KPI) { *r.AvgDuration = math.Nextafter(*r.AvgDuration, 1e9) },
		"index":    func(r *schema.KPI) { r.Popularity = nil },
		"track":    func(r *schema.KPI) { *r.TopTrack += " " },
		"artist":   func(r *schema.KPI) { r.TopArtist = p("") },
		"group_by": func(r *schema.KPI) { r.GroupBy = p("Jazz") },
	}
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		for name, change := range changes {
			load(t, w, before(), kpi.LoadOptions{}, name != "")
			rows := before()
			change(&rows[0])
			load(t, w, rows, kpi.LoadOptions{}, true)
			wantRows(t, w, rows)
		}
	})
}

func TestLoadNullKeyNeverDoubles(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		for _, opt := range []kpi.LoadOptions{{}, {KeepStale: true}, {Always: true}, {Always: true, KeepStale: true}} {
			for n := range int64(3) {
				if _, err := w.Load(t.Context(), []schema.KPI{noGenre(n), hour("1", n)}, opt); err != nil {
					t.Fatal(err)
				}
				wantRows(t, w, []schema.KPI{noGenre(n), hour("1", n)})
			}
		}
		// A genre of no letters is not the NULL genre.
		load(t, w, []schema.KPI{noGenre(1), genre("", 2)}, kpi.LoadOptions{}, true)
		load(t, w, []schema.KPI{genre("", 2)}, kpi.LoadOptions{KeepStale: true}, false)
		wantRows(t, w, []schema.KPI{noGenre(1), genre("", 2)})
	})
}

func TestLoadKeepStale(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, before(), kpi.LoadOptions{KeepStale: true}, true)
		load(t, w, after(), kpi.LoadOptions{KeepStale: true}, true)
		both := append(after(), genre("pop", 20), hour("0", 5))
		wantRows(t, w, both)
		load(t, w, after(), kpi.LoadOptions{KeepStale: true}, false)
		load(t, w, nil, kpi.LoadOptions{KeepStale: true}, false)
		load(t, w, nil, kpi.LoadOptions{KeepStale: true, Always: true}, true)
		wantRows(t, w, both)
		// A genre named as an hour is another key.
		load(t, w, append(after(), genre("0", 99)), kpi.LoadOptions{KeepStale: true}, true)
		wantRows(t, w, append(both, genre("0", 99)))
		load(t, w, after(), kpi.LoadOptions{}, true)
		wantRows(t, w, after())
	})
}

func TestLoadLeavesForeignTypes(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		do(t, w, "INSERT INTO public.kpi_table (kpi_type, group_by, genre_listen_count) VALUES ('daily', 'jazz', 1), ('daily', NULL, 2), (NULL, NULL, 3), (NULL, 'jazz', 4)")
		foreign := "public.kpi_table WHERE kpi_type IS NULL OR kpi_type = 'daily'"
		load(t, w, before(), kpi.LoadOptions{}, true)
		load(t, w, before(), kpi.LoadOptions{}, false)
		load(t, w, after(), kpi.LoadOptions{KeepStale: true}, true)
		load(t, w, after(), kpi.LoadOptions{}, true)
		wantRows(t, w, after())
		if n := count(t, w, foreign); n != 4 {
			t.Errorf("%d foreign rows, want 4", n)
		}
	})
}

func TestLoadHealsWhatGlueLeft(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		for _, opt := range []kpi.LoadOptions{{}, {KeepStale: true}} {
			w := open(t, url)
			load(t, w, before(), kpi.LoadOptions{Always: true}, true)
			// Glue's upsert joined with =, so that each run added a NULL row; and it leaves its staging rows.
			do(t, w,
				"INSERT INTO public.kpi_table SELECT * FROM public.kpi_table WHERE group_by IS NULL",
				"INSERT INTO public.kpi_table SELECT * FROM public.kpi_table WHERE group_by = 'jazz'",
				"INSERT INTO public.kpi_staging SELECT * FROM public.kpi_table")
			load(t, w, before(), opt, true)
			wantRows(t, w, before())
			do(t, w, "UPDATE public.kpi_table SET genre_listen_count = NULL WHERE group_by = 'pop'")
			if _, err := w.Rows(t.Context()); err == nil || !strings.Contains(err.Error(), "genre_listen_count is NULL") {
				t.Errorf("Rows of a NULL count: %v", err)
			}
			load(t, w, before(), opt, true)
			wantRows(t, w, before())
		}
	})
}

func TestLoadDoublesAreBitEqual(t *testing.T) {
	values := []float64{0, math.Copysign(0, -1), 1.0 / 3, 2.0 / 3, 0.1, 1e300, -1e300, math.MaxFloat64, math.SmallestNonzeroFloat64, 5e-310, math.Pi * 1e5,
		123456789012345678, 1 << 53, 1<<53 + 2, -7, math.Nextafter(1, 2), math.Nextafter(1, 0), 215438.60000000003}
	for i := range 200 {
		values = append(values, float64(7919*i+1)/float64(104729-i))
	}
	var rows []schema.KPI
	for i, v := range values {
		row := genre(fmt.Sprint("g", i), int64(i))
		row.AvgDuration, row.Popularity = &v, p(v/3)
		rows = append(rows, row)
	}
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, rows, kpi.LoadOptions{}, true)
		load(t, w, rows, kpi.LoadOptions{}, false)
		wantRows(t, w, rows)
	})
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		row := genre("jazz", 1)
		row.Popularity = &v
		if _, err := fit([]schema.KPI{row}, new(journal).logger()); err == nil || !strings.Contains(err.Error(), `genre "jazz"`) {
			t.Errorf("%v: %v", v, err)
		}
	}
}

func TestLoadIntegersWhole(t *testing.T) {
	rows := []schema.KPI{genre("max", math.MaxInt64), genre("min", math.MinInt64), genre("odd", 1<<53+1)}
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, rows, kpi.LoadOptions{}, true)
		load(t, w, rows, kpi.LoadOptions{}, false)
		wantRows(t, w, rows)
	})
}

var awkward = []string{`'; DROP TABLE public.kpi_table; --`, `"quoted"`, `back\slash \n \x00 \\`, `$1`, `%s`, "emoji 🎵🎶", "e\u0301",
	"tab\tline\nreturn\r", " leading and trailing ", "NULL", "\\N", "{a,b}", "\u202e", "Ж中", ":name", "?", "E'x'", "\u0001", "\u2028", "-"}

func TestLoadAwkwardText(t *testing.T) {
	var rows []schema.KPI
	for _, s := range awkward {
		row := genre(s, 1)
		row.TopTrack, row.TopArtist = &s, p(s+s)
		rows = append(rows, row)
	}
	onEach(t, func(t *testing.T, url string) {
		w := open(t, url)
		load(t, w, rows, kpi.LoadOptions{}, true)
		load(t, w, rows, kpi.LoadOptions{}, false)
		load(t, w, rows, kpi.LoadOptions{Always: true, KeepStale: true}, true)
		wantRows(t, w, rows)
	})
}

func TestLoadManyRows(t *testing.T) {
	for _, n := range []int{batchRows - 1, batchRows, batchRows + 1, 3*batchRows + 7} {
		var rows []schema.KPI
		for i := range n {
			rows = append(rows, genre(fmt.Sprintf("genre %05d", i), int64(i)))
		}
		onEach(t, func(t *testing.T, url string) {
			w := open(t, url)
			load(t, w, rows, kpi.LoadOptions{}, true)
			load(t, w, rows, kpi.LoadOptions{}, false)
			wantRows(t, w, rows)
		})
	}
}

package history

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/report"
)

var noon = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// keep keeps the record of a run that began some seconds after noon.
func keep(t *testing.T, b blob.Bucket, seconds int, suffix string) string {
	t.Helper()
	began := noon.Add(time.Duration(seconds) * time.Second)
	run := began.Format("20060102T150405Z") + "-" + suffix
	r := Record{Run: report.Run{Run: run, Outcome: report.Done}, Began: began.Add(time.Duration(len(suffix)) * time.Millisecond)}
	if err := Write(t.Context(), b, r); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestLast(t *testing.T) {
	b := memblob.New("curated")
	records, damaged, err := Last(t.Context(), b, 5)
	if len(records) != 0 || len(damaged) != 0 || err != nil {
		t.Errorf("of an empty lake: %v, %v, %v", records, damaged, err)
	}
	// Of two runs of one second the record tells which began first, not the name.
	want := []string{keep(t, b, 2, "aaa"), keep(t, b, 1, "a-later"), keep(t, b, 1, "z"), keep(t, b, 0, "old")}
	for n := range len(want) + 2 {
		records, damaged, err = Last(t.Context(), b, n)
		var got []string
		for _, r := range records {
			got = append(got, r.Run.Run)
		}
		// With the two of one second cut apart, either may be the last.
		if k := min(n, len(want)); len(damaged) != 0 || err != nil || n != 2 && fmt.Sprint(got) != fmt.Sprint(want[:k]) || len(got) != k {
			t.Errorf("the last %d are %v, want %v (%v, %v)", n, got, want[:k], damaged, err)
		}
	}
}

// TestDamaged has records that cannot be read: the others are shown all the same.
func TestDamaged(t *testing.T) {
	b := memblob.New("curated")
	good := keep(t, b, 1, "good")
	for name, text := range map[string]string{"half": `{"format": 1, "run": "x"`, "newer": `{"format": 99}`, "none": `{}`} {
		if _, err := b.Write(t.Context(), prefix+"20240229T120000Z-"+name+".json", []byte(text), blob.Cond{}); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), b, "20240229T120000Z-"+name); err == nil || !strings.Contains(err.Error(), name+".json") || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("a record that is %s: %v", name, err)
		}
	}
	records, damaged, err := Last(t.Context(), b, 10)
	if len(records) != 1 || records[0].Run.Run != good || len(damaged) != 3 || err != nil {
		t.Errorf("%v, %v, %v; want the record of %s and three damaged ones", records, damaged, err, good)
	}
}

func TestReadByBeginning(t *testing.T) {
	b := memblob.New("curated")
	first, second := keep(t, b, 0, "aa"), keep(t, b, 1, "bb")
	longer := keep(t, b, 1, "bbb")
	for name, want := range map[string]string{
		first: first, first[:15]: first, second: second, // the whole name of one, the beginning of another
		second + "b": longer,
		"":           "", "2024": "", second[:16]: "", "2025": "",
	} {
		r, err := Read(t.Context(), b, name)
		if want == "" && !errors.Is(err, ErrNoRun) || want != "" && (err != nil || r.Run.Run != want) {
			t.Errorf("the record of %q is that of %q (%v), want %q", name, r.Run.Run, err, want)
		}
	}
}

package quality

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"testing"

	"mss/internal/blob"
	"mss/internal/blob/memblob"
	"mss/internal/csvio"
	"mss/internal/lake"
	"mss/internal/report"
	"mss/internal/schema"
)

var ctx = context.Background()

// begin opens the quarantine of streams for a run that may publish the rejects of a.csv and b.csv.
func begin(t *testing.T, curated blob.Bucket) (*lake.Txn, *Quarantine) {
	t.Helper()
	txn, err := lake.Transformed(curated).Begin(ctx, &lake.Run{ID: "run", Semantics: schema.Corrected, Foreign: lake.ForeignStop, Threads: 1,
		Log: slog.New(slog.DiscardHandler), Progress: report.NoProgress{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := txn.Intend(ctx, []lake.Planned{{Beside: Key("streams", "a.csv")}, {Beside: Key("streams", "b.csv")}}); err != nil {
		t.Fatal(err)
	}
	q, err := OpenQuarantine(ctx, curated, txn, "streams")
	if err != nil {
		t.Fatal(err)
	}
	return txn, q
}

// add quarantines rejects of a source.
func add(t *testing.T, q *Quarantine, name string, rejects ...csvio.Reject) *File {
	t.Helper()
	f := q.File("streams/"+name, name)
	for i, r := range rejects {
		if err := f.Add(ctx, int64(100*i), []csvio.Reject{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// held reads the quarantine, nil where there is no object.
func held(t *testing.T, b blob.Bucket, name string) (lines []Line) {
	t.Helper()
	data, _, err := b.ReadAll(ctx, "quarantine/streams/"+name+".jsonl")
	if errors.Is(err, blob.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		lines = append(lines, l)
	}
	return lines
}

// TestQuarantine has texts of all kinds: each is there as it was, with its physical line.
func TestQuarantine(t *testing.T) {
	b := memblob.New("curated")
	txn, q := begin(t, b)
	raws := []string{"1,t,<never> & \"so\"", "", "two\nlines\r\n", "\xff\xfe,t,x", "\u2028é"}
	var rejects []csvio.Reject
	for i, raw := range raws {
		rejects = append(rejects, csvio.Reject{Line: int64(i), Column: "listen_time", Reason: "bad_timestamp", Raw: []byte(raw)})
	}
	add(t, q, "a.csv", rejects...)
	if lines := held(t, b, "a.csv"); lines != nil {
		t.Errorf("seen before they are published: %v", lines)
	}
	if _, err := txn.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	lines := held(t, b, "a.csv")
	if len(lines) != len(raws) {
		t.Fatalf("%d lines", len(lines))
	}
	for i, raw := range raws {
		l := lines[i]
		text := string(l.RawBase64)
		if (l.Raw == nil) != (i == 3) {
			t.Errorf("line %d: %q as base64: %t", i, raw, l.Raw == nil)
		}
		if l.Raw != nil {
			text = *l.Raw
		}
		if text != raw || l.Line != int64(101*i) || l.Source != "streams/a.csv" || l.Column != "listen_time" || l.Reason != "bad_timestamp" {
			t.Errorf("%q is %+v with the text %q", raw, l, text)
		}
	}
}

// TestQuarantineAgain reads sources again: their rejects are replaced, or removed when there are none.
func TestQuarantineAgain(t *testing.T) {
	bad := csvio.Reject{Reason: "field_count", Raw: []byte("x")}
	worse := csvio.Reject{Reason: "bad_quoting", Raw: []byte("y")}
	b := memblob.New("curated")
	round := func(do func(q *Quarantine), commit bool) {
		t.Helper()
		txn, q := begin(t, b)
		do(q)
		if !commit {
			if err := txn.Abort(ctx); err != nil {
				t.Fatal(err)
			}
			return
		}
		if _, err := txn.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	want := func(a, c []string) {
		t.Helper()
		for name, reasons := range map[string][]string{"a.csv": a, "b.csv": c} {
			var got []string
			for _, l := range held(t, b, name) {
				got = append(got, l.Reason)
			}
			if !reflect.DeepEqual(got, reasons) {
				t.Errorf("%s: %v, want %v", name, got, reasons)
			}
		}
	}
	round(func(q *Quarantine) { add(t, q, "a.csv", bad, bad); add(t, q, "b.csv", bad) }, true)
	want([]string{"field_count", "field_count"}, []string{"field_count"})
	round(func(q *Quarantine) { add(t, q, "a.csv", worse); add(t, q, "b.csv") }, false) // nothing was published
	want([]string{"field_count", "field_count"}, []string{"field_count"})
	round(func(q *Quarantine) { add(t, q, "a.csv", worse) }, true) // b.csv was not read
	want([]string{"bad_quoting"}, []string{"field_count"})
	round(func(q *Quarantine) { add(t, q, "b.csv") }, true) // it has none any more
	want([]string{"bad_quoting"}, nil)
	round(func(q *Quarantine) {
		if err := add(t, q, "b.csv", bad).Drop(ctx); err != nil {
			t.Error(err)
		}
	}, true)
	want([]string{"bad_quoting"}, nil)
	round(func(q *Quarantine) { q.Remove("a.csv"); q.Remove("never") }, true)
	want(nil, nil)
}

// TestQuarantineOfRefused publishes the rejects of a refused run, and nothing else.
func TestQuarantineOfRefused(t *testing.T) {
	b := memblob.New("curated")
	txn, q := begin(t, b)
	add(t, q, "a.csv", csvio.Reject{Reason: "field_count", Raw: []byte("x")})
	if err := txn.PublishBeside(ctx); err != nil {
		t.Fatal(err)
	}
	if err := txn.Abort(ctx); err != nil {
		t.Fatal(err)
	}
	if lines := held(t, b, "a.csv"); len(lines) != 1 {
		t.Errorf("%v", lines)
	}
	if s, err := lake.Transformed(b).Snapshot(ctx); s != nil || err != nil {
		t.Errorf("snapshot %v, %v", s, err)
	}
}

package state

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"mss/internal/kpi/kpitest"
	"mss/internal/schema"
)

type texts []string

func (d *texts) Len() int             { return len(*d) }
func (d *texts) Text(i uint32) []byte { return []byte((*d)[i]) }
func (d *texts) Common(other Texts) (n int) {
	o, ok := other.(*texts)
	for ok && n < min(len(*d), len(*o)) && (*d)[n] == (*o)[n] {
		n++
	}
	return n
}

type ints []int64

func (d *ints) AppendInts(dst []int64) []int64 { return append(dst, *d...) }

// dicts collect the values of a row group.
type dicts struct {
	users, popularity, duration    ints
	tracks, artists, names, genres texts
}

func codeOf[T comparable](values *[]T, v *T) int32 {
	if v == nil {
		return Null
	}
	i := slices.Index(*values, *v)
	if i < 0 {
		i = len(*values)
		*values = append(*values, *v)
	}
	return int32(i)
}

// batches cuts rows into batches of one row group, which share their dictionaries.
func batches(r *rand.Rand, rows []kpitest.Row) (out []*Batch) {
	d := &dicts{}
	for len(rows) > 0 {
		n := 1 + r.IntN(len(rows))
		b := &Batch{Dict: Dicts{Users: &d.users, Tracks: &d.tracks, Artists: &d.artists, Names: &d.names, Genres: &d.genres, Popularity: &d.popularity, Duration: &d.duration}}
		for _, row := range rows[:n] {
			b.Users = append(b.Users, codeOf((*[]int64)(&d.users), &row.User))
			b.Hours = append(b.Hours, uint8(time.UnixMicro(row.Time).UTC().Hour()))
			run := Run{1, codeOf((*[]string)(&d.tracks), &row.Track), codeOf((*[]string)(&d.artists), row.Artists), codeOf((*[]string)(&d.names), row.Name),
				codeOf((*[]int64)(&d.popularity), row.Popularity), codeOf((*[]int64)(&d.duration), row.Duration),
				codeOf((*[]string)(&d.genres), row.Genre), row.Primary}
			if k := len(b.Runs); k > 0 {
				last := b.Runs[k-1]
				last.Rows = 1
				if last == run && r.IntN(8) > 0 {
					b.Runs[k-1].Rows++
					continue
				}
			}
			b.Runs = append(b.Runs, run)
		}
		out = append(out, b)
		rows = rows[n:]
	}
	return out
}

// reread gives the keys as they come out of the files that they are written to, in some steps.
func reread(t *testing.T, r *rand.Rand, files [][]byte, k *Keys, from Sizes) *Keys {
	t.Helper()
	files = append(files, k.Encode(from))
	if r.IntN(3) == 0 {
		files = [][]byte{k.Encode(Sizes{})}
	}
	got := NewKeys()
	for _, f := range files {
		if err := got.Decode(f); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func add(t *testing.T, total *Total, file []byte) {
	t.Helper()
	l := NewLoader(total)
	defer l.Close()
	if err := l.Add(file); err != nil {
		t.Fatal(err)
	}
}

// TestExact folds random rows in random order, cut into batches, row groups, objects and totals; writes and reads keys, states and
// totals; and compares with the naive way.
func TestExact(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		rows := kpitest.Rows(r, r.IntN(400))
		if seed%100 == 0 { // more rows of a song in an hour than 16 bits hold, all in all or at once
			for range 1 + r.IntN(3) {
				many := kpitest.Rows(r, 1)[0]
				many.Primary = true
				rows = append(rows, slices.Repeat([]kpitest.Row{many}, 50000+r.IntN(100000))...)
			}
		}
		sem := []schema.Semantics{schema.Corrected, schema.Glue}[seed%2]
		want := kpitest.KPIs(rows, sem)
		if r.IntN(2) == 0 {
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		}
		check := func(what string, total *Total) {
			t.Helper()
			res := total.Result()
			if got := res.Rows; !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
				t.Fatalf("seed %d %s, %s:\n got %s\nwant %s", seed, sem, what, kpitest.Show(got), kpitest.Show(want))
			}
			if total.NumRows() != int64(len(rows)) || total.Plays() != kpitest.Plays(rows) {
				t.Fatalf("seed %d %s, %s: %d plays of %d rows, want %d of %d", seed, sem, what, total.Plays(), total.NumRows(), kpitest.Plays(rows), len(rows))
			}
			if res.Hourly != total.Counted() {
				t.Fatalf("seed %d %s, %s: %d rows in the hours, %d were counted", seed, sem, what, res.Hourly, total.Counted())
			}
		}
		keys := NewKeys()
		var folders []*Folder
		var totals []*Total
		for range 1 + r.IntN(3) {
			total := NewTotal(keys, sem)
			totals = append(totals, total)
			for range 1 + r.IntN(2) {
				folders = append(folders, NewFolder(total, true))
			}
		}
		var files [][]byte // of keys, then of objects
		var sizes Sizes
		var objects [][]byte
		for rest := rows; len(rest) > 0; {
			n := 1 + r.IntN(len(rest))
			object := NewObject(nil)
			for group := rest[:n]; len(group) > 0; {
				k := 1 + r.IntN(len(group))
				f := folders[r.IntN(len(folders))]
				for _, b := range batches(r, group[:k]) {
					if err := f.Fold(b); err != nil {
						t.Fatal(err)
					}
				}
				object = f.End(object)
				group = group[k:]
			}
			objects = append(objects, object)
			if r.IntN(4) == 0 {
				files = append(files, keys.Encode(sizes))
				sizes = keys.Sizes()
			}
			rest = rest[n:]
		}
		r.Shuffle(len(totals), func(i, j int) { totals[i], totals[j] = totals[j], totals[i] })
		total := totals[0]
		for _, o := range totals[1:] {
			total.Merge(o)
		}
		check("folded", total)

		later := reread(t, r, files, keys, sizes)
		again := NewTotal(later, sem)
		if err := again.Decode(total.Encode()); err != nil {
			t.Fatal(err)
		}
		check("total read", again)

		r.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
		merged, other := NewTotal(later, sem), NewTotal(later, sem)
		for _, o := range objects {
			if r.IntN(2) == 0 {
				add(t, merged, o)
			} else {
				add(t, other, o)
			}
		}
		merged.Merge(other)
		check("states merged", merged)

		// One object more, under keys and a total that were read.
		more := kpitest.Rows(r, 50)
		rows = append(slices.Clone(rows), more...)
		want = kpitest.KPIs(rows, sem)
		f := NewFolder(again, true)
		for _, b := range batches(r, more) {
			if err := f.Fold(b); err != nil {
				t.Fatal(err)
			}
		}
		object := f.End(NewObject(nil))
		check("one more", again)
		add(t, merged, object)
		check("one more merged", merged)
	}
}

// TestDamaged cuts and changes the files: they are refused, or read as something; nothing panics.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 7))
	keys := NewKeys()
	total := NewTotal(keys, schema.Corrected)
	f := NewFolder(total, true)
	for _, b := range batches(r, kpitest.Rows(r, 300)) {
		if err := f.Fold(b); err != nil {
			t.Fatal(err)
		}
	}
	object, sum, names := f.End(NewObject(nil)), total.Encode(), keys.Encode(Sizes{})
	damage := func(b []byte) []byte {
		b = slices.Clone(b)
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
		}
		return b[:len(b)-r.IntN(2)*r.IntN(len(b))]
	}
	for range 5000 {
		l := NewLoader(NewTotal(keys, schema.Corrected))
		_ = l.Add(damage(object))
		l.Close()
		_ = NewTotal(keys, schema.Corrected).Decode(damage(sum))
		_ = NewKeys().Decode(damage(names))
	}
	for _, cut := range [][]byte{nil, object[:3], sum, names} {
		l := NewLoader(NewTotal(keys, schema.Corrected))
		if err := l.Add(cut); err == nil {
			t.Error("something else was taken for the state of an object")
		}
		l.Close()
	}
}

package pipeline_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mss/internal/blob/blobtest"
	"mss/internal/oracle"
	"mss/internal/schema"
)

// histories is how many random histories TestHistories plays; `make test-histories` plays thousands.
func histories() int {
	if n, err := strconv.Atoi(os.Getenv("MSS_TEST_HISTORIES")); err == nil {
		return n
	}
	return 200
}

// TestHistories plays random histories of a lake: files come, are replaced, go, come late, are shuffled, split and spoilt, songs and users
// change, runs are killed and run again. After each run that ends, the data objects and kpi_table are, to the byte, those of one clean full run
// over what there is: the raw objects, and those that are gone as they were read last.
func TestHistories(t *testing.T) {
	for seed := range histories() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			newHistory(t, uint64(seed)).play(6)
		})
	}
}

// history is a lake and what is known about it.
type history struct {
	t *testing.T
	*rand.Rand
	site *site
	raw  content // what is there
	read content // and what was there when it was read last
	c    choices
	log  []string // what happened
	n    int      // names for new files

	versions map[string]string // all that was ever there, by ETag
	removing bool              // a run since the last comparison was to remove what is gone
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{t: t, Rand: rand.New(rand.NewPCG(seed, 5)), site: newSite(t), read: content{}, versions: map[string]string{}}
	h.c.semantics = []schema.Semantics{schema.Corrected, schema.Glue}[seed%2]
	h.raw = h.lake()
	return h
}

// lake makes a hazardous raw lake.
func (h *history) lake() content {
	out := content{}
	for key, data := range (oracle.Hazard{Seed: h.Uint64(), Songs: 25, Users: 10, Plays: 50, Files: 1 + h.IntN(3), Bad: 0.1}).New() {
		out[key] = string(data)
	}
	return out
}

func (h *history) play(steps int) {
	for range steps {
		for range 1 + h.IntN(3) {
			h.change()
		}
		h.put()
		h.c.onMissing = []string{"keep", "keep", "remove"}[h.IntN(3)]
		h.c.full = h.IntN(10) == 0
		if h.IntN(12) == 0 {
			h.c.semantics = []schema.Semantics{schema.Corrected, schema.Glue}[h.IntN(2)]
		}
		for h.IntN(3) == 0 {
			f := &blobtest.Faults{At: 1 + h.IntN(120), After: h.IntN(2) == 0, Dead: h.IntN(4) > 0}
			h.removing = h.removing || h.c.onMissing == "remove"
			err := h.site.run(h.t, h.c, f)
			h.note("killed at call %d: %v", f.At, err)
			if h.IntN(3) == 0 { // the world goes on meanwhile
				h.change()
				h.put()
			}
		}
		h.run()
	}
}

// put makes the raw place what it is to be.
func (h *history) put() {
	h.t.Helper()
	h.site.setRaw(h.t, h.raw)
	for key, etag := range h.site.etags(h.t) {
		h.versions[etag] = h.raw[key]
	}
}

func (h *history) note(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf(format, args...))
}

// run runs the lake, and compares it with a clean one.
func (h *history) run() {
	h.t.Helper()
	h.note("run %+v", h.c)
	h.removing = h.removing || h.c.onMissing == "remove"
	if err := h.site.run(h.t, h.c, nil); err != nil {
		if strings.Contains(err.Error(), "there are no plays") && h.c.onMissing == "remove" && len(h.plays()) == 0 {
			h.note("refused: %v", err) // it would have deleted everything
			h.c.onMissing = "keep"
			h.run()
			return
		}
		h.t.Fatalf("%v\n%s", err, strings.Join(h.log, "\n"))
	}
	h.ledger()
	clean := newSite(h.t)
	clean.setRaw(h.t, h.read)
	clean.must(h.t, choices{semantics: h.c.semantics})
	want := clean.state(h.t)
	_ = os.Remove(clean.warehouse)
	if d := diff(h.site.state(h.t), want); d != "" {
		h.t.Fatalf("%s\n%s", d, strings.Join(h.log, "\n"))
	}
	h.site.tidy(h.t, strings.Join(h.log, "; "))
}

// ledger finds out what the ledger's input is: the raw objects, and those that are gone as they were read last. A run that was killed may
// have read some: the snapshot knows which.
func (h *history) ledger() {
	h.t.Helper()
	fail := func(what, key string) { h.t.Fatalf("%s: %s\n%s", what, key, strings.Join(h.log, "\n")) }
	known, now := h.site.sources(h.t), h.site.etags(h.t)
	for _, key := range h.plays() {
		if known[key] != now[key] {
			fail("not read as it is", key)
		}
	}
	for key := range h.read {
		if isPlays(key) && known[key] == "" && !h.removing {
			fail("not kept", key)
		}
	}
	h.read, h.removing = maps.Clone(h.raw), false
	for key, etag := range known {
		if _, there := h.raw[key]; there {
			continue
		}
		if h.c.onMissing == "remove" {
			fail("not removed", key)
		}
		h.read[key] = h.versions[etag]
	}
}

func (h *history) plays() (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(h.raw)) {
		if isPlays(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func isPlays(key string) bool {
	return strings.HasPrefix(key, "streams/") && (strings.HasSuffix(key, ".csv") || strings.HasSuffix(key, ".csv.gz"))
}

// editable says whether a file has a header of one line, and more lines that can be changed.
func (h *history) editable(key string) bool {
	lines := strings.SplitAfter(h.raw[key], "\n")
	return strings.HasSuffix(key, ".csv") && len(lines) > 3 && !strings.Contains(lines[0], `"`)
}

// change changes the raw lake in one way.
func (h *history) change() {
	const header = "user_id,track_id,listen_time\n"
	plays := h.plays()
	pick := func() string { return plays[h.IntN(len(plays))] }
	act := h.IntN(10)
	if len(plays) == 0 {
		act = 0
	}
	switch act {
	case 0: // a file comes
		h.n++
		key := fmt.Sprintf("streams/%s/n%d.csv", []string{"a", "b/c", "2024"}[h.IntN(3)], h.n)
		other := h.lake()
		for _, k := range slices.Sorted(maps.Keys(other)) {
			if strings.HasPrefix(k, "streams/") && strings.HasSuffix(k, ".csv") && len(other[k]) > 40 {
				h.raw[key] = other[k]
			}
		}
		if h.raw[key] == "" {
			h.raw[key] = header + "1,t,2020-02-02 02:02:02\n"
		}
		h.note("new %s", key)
	case 1: // late plays
		h.n++
		key := fmt.Sprintf("streams/late%d.csv", h.n)
		h.raw[key] = header + fmt.Sprintf("%d,late,19%02d-01-01 %02d:00:00\n", h.IntN(5), 10+h.IntN(80), h.IntN(24))
		h.note("late %s", key)
	case 2: // replaced by another
		a, b := pick(), pick()
		if strings.HasSuffix(a, ".gz") == strings.HasSuffix(b, ".gz") {
			h.raw[a] = h.raw[b]
			h.note("%s replaced by %s", a, b)
		}
	case 3, 4: // goes
		key := pick()
		delete(h.raw, key)
		h.note("%s goes", key)
	case 5: // shuffled
		key := pick()
		if lines := strings.SplitAfter(h.raw[key], "\n"); h.editable(key) {
			rest := lines[1:]
			h.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
			h.raw[key] = strings.Join(lines, "")
			h.note("%s shuffled", key)
		}
	case 6: // split in two
		key := pick()
		if lines := strings.SplitAfter(h.raw[key], "\n"); h.editable(key) {
			h.n++
			at := 1 + h.IntN(len(lines)-1)
			h.raw[fmt.Sprintf("streams/split%d.csv", h.n)] = lines[0] + strings.Join(lines[at:], "")
			h.raw[key] = strings.Join(lines[:at], "")
			h.note("%s split at line %d", key, at)
		}
	case 7: // spoilt at equal length
		key := pick()
		if data := []byte(h.raw[key]); h.editable(key) {
			from := 1 + strings.IndexByte(h.raw[key], '\n')
			data[from+h.IntN(len(data)-from)] = "x\"\n,"[h.IntN(4)]
			h.raw[key] = string(data)
			h.note("%s spoilt", key)
		}
	case 8, 9: // new songs or users
		other := h.lake()
		table := []string{"metadata/songs.csv", "metadata/users.csv"}[act-8]
		for _, key := range []string{table, table + ".gz"} {
			delete(h.raw, key)
			if data, ok := other[key]; ok {
				h.raw[key] = data
			}
		}
		h.note("other %s", table)
	}
}

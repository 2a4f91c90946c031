package quality

import (
	"errors"
	"strings"
	"testing"

	"mss/internal/csvio"
	"mss/internal/lake"
)

func TestGate(t *testing.T) {
	for _, c := range []struct {
		rows, rejects int64
		ratio         float64
		refused       bool
	}{
		{0, 0, 0, false},
		{100, 0, 0, false},
		{100, 1, 0, true},
		{100, 5, 0.05, false}, // the ratio itself is allowed
		{100, 6, 0.05, true},
		{3, 3, 1, false},
	} {
		var g Gate
		g.Include(c.rows-c.rejects, nil)
		for range c.rejects {
			g.Add(1, []csvio.Reject{{Reason: "bad_time"}})
		}
		if g.Rows != c.rows || g.Total() != c.rejects {
			t.Errorf("%d of %d rows are counted as %d of %d", c.rejects, c.rows, g.Total(), g.Rows)
		}
		if err := g.Check(c.ratio, "quarantine/streams/"); errors.Is(err, lake.ErrRefused) != c.refused || (err != nil) != c.refused {
			t.Errorf("%d rejects of %d rows at most %v: %v", c.rejects, c.rows, c.ratio, err)
		}
	}
}

// TestGateSaysWhy has rejects of this run and of earlier ones.
func TestGateSaysWhy(t *testing.T) {
	g := Gate{Dataset: "streams"}
	g.Add(4, []csvio.Reject{{Reason: "bad_time"}, {Reason: "bad_user"}})
	g.Include(6, map[string]int64{"bad_time": 2})
	err := g.Check(0.1, "quarantine/streams/")
	for _, part := range []string{"4 of 10 rows of streams", "bad_time 3, bad_user 1", "max-reject-ratio 0.1", "nothing was published", "quarantine/streams/"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}

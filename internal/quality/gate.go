// Package quality keeps what the jobs reject: it counts, refuses a run whose share of rejects is too high, and writes
// the quarantine files.
package quality

import (
	"fmt"
	"sort"
	"strings"

	"mss/internal/csvio"
	"mss/internal/lake"
)

// Gate counts the rows of one dataset's input.
type Gate struct {
	Dataset  string
	Rows     int64            // read, rejects included
	Rejected map[string]int64 // by reason
}

// Add counts rows rows, of which rejects were rejected.
func (g *Gate) Add(rows int64, rejects []csvio.Reject) {
	g.Rows += rows
	for _, r := range rejects {
		if g.Rejected == nil {
			g.Rejected = map[string]int64{}
		}
		g.Rejected[r.Reason]++
	}
}

// Include counts rows that were read by an earlier run.
func (g *Gate) Include(rows int64, rejected map[string]int64) {
	g.Rows += rows
	for reason, n := range rejected {
		if g.Rejected == nil {
			g.Rejected = map[string]int64{}
		}
		g.Rejected[reason] += n
	}
}

// Total counts the rejected rows.
func (g *Gate) Total() int64 {
	var n int64
	for _, v := range g.Rejected {
		n += v
	}
	return n
}

// Check refuses (lake.ErrRefused) when more than ratio of the rows were rejected.
func (g *Gate) Check(ratio float64, quarantine string) error {
	n := g.Total()
	if n == 0 || float64(n)/float64(g.Rows) <= ratio {
		return nil
	}
	var why []string
	for reason, k := range g.Rejected {
		why = append(why, fmt.Sprintf("%s %d", reason, k))
	}
	sort.Strings(why)
	return fmt.Errorf("%w: %d of %d rows of %s were rejected (%s), more than max-reject-ratio %v; nothing was published; the rows and reasons are in %s",
		lake.ErrRefused, n, g.Rows, g.Dataset, strings.Join(why, ", "), ratio, quarantine)
}

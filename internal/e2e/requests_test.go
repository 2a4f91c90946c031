package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestFewRequests counts the requests to S3 of a run that has nothing to do: they are few, and no more when the history is longer.
func TestFewRequests(t *testing.T) {
	s := newS3Site(t)
	var counts []int
	for _, files := range []int{3, 60} {
		lake := plenty(30)
		for i := range files {
			lake[fmt.Sprintf("streams/%d.csv", i)] = lake["streams/a.csv"]
		}
		s.put(t, lake)
		s.must(t, "run", "all")
		s.watch(nil)
		p := s.start(t, s.behind(), "run", "all")
		if p.code() != 0 {
			t.Fatal(p.out.String())
		}
		counts = append(counts, len(s.seen()))
	}
	if counts[0] != counts[1] || counts[0] > 20 {
		t.Errorf("%v requests for 3 and 60 files:\n%s", counts, strings.Join(s.seen(), "\n"))
	}
	t.Logf("%d requests:\n%s", counts[1], strings.Join(s.seen(), "\n"))
}

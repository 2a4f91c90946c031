package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"mss/internal/config"
	"mss/internal/report"
)

// screen is a writer that may be read while it is written to.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestNoBarWithoutATerminal(t *testing.T) {
	if p := newProgress(&console{w: &bytes.Buffer{}}, &config.Config{}); p != (report.NoProgress{}) {
		t.Errorf("a bar on a buffer: %T", p)
	}
}

func TestBarAndLogShareTheScreen(t *testing.T) {
	for name, total := range map[string]int64{"known size": 1000, "unknown size": 0} {
		t.Run(name, func(t *testing.T) {
			s := &screen{}
			con := &console{w: s}
			p := &progress{con: con}
			p.Start("integrate", total)
			p.Add(1234, 400)
			waitFor(t, s, "1,234 rows")
			if total > 0 && !strings.Contains(s.String(), "40%") {
				t.Errorf("no percentage: %q", s)
			}
			before := len(s.String())
			if _, err := con.Write([]byte("a log line\n")); err != nil {
				t.Fatal(err)
			}
			if added := s.String()[before:]; !strings.Contains(added, "\033[2K\ra log line\n") {
				t.Errorf("the log line does not begin on a line of its own: %q", added)
			}
			p.Add(1, 600) // more than the size that was told, as a file that grew
			waitFor(t, s, "1,235 rows")
			p.Stop()
			p.Stop()
			if !strings.HasSuffix(s.String(), "\033[2K\r") {
				t.Errorf("the bar stays on the screen: %q", s)
			}
			p.Start("kpi", 10)
			p.Start("again", 10)
			p.Stop()
		})
	}
}

func waitFor(t *testing.T, s *screen, text string) {
	t.Helper()
	for range 100 {
		if strings.Contains(s.String(), text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the screen never shows %q: %q", text, s)
}

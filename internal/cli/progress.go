package cli

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"

	"mss/internal/config"
	"mss/internal/report"
)

// redraw is the time between two states of the bar.
const redraw = 200 * time.Millisecond

// newProgress is a bar when somebody is there to look at it, and nothing otherwise.
func newProgress(con *console, cfg *config.Config) report.Progress {
	if cfg.NoProgress || cfg.LogFormat == "json" || !con.isTerminal() {
		return report.NoProgress{}
	}
	return &progress{con: con}
}

// progress shows rows, rows/s, percent and the time left on one line. The workers only count; a ticker draws.
type progress struct {
	con         *console
	rows, bytes atomic.Int64

	mu   sync.Mutex // over Start and Stop
	quit chan struct{}
	done sync.WaitGroup
}

// Start begins the line of a job, and ends that of the job before.
func (p *progress) Start(job string, totalBytes int64) {
	p.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows.Store(0)
	p.bytes.Store(0)
	bar := newBar(p.con, totalBytes)
	p.con.mu.Lock()
	p.con.clear = func() { _ = bar.Clear() } // a screen that cannot be written to must not end the run
	p.con.mu.Unlock()
	p.quit = make(chan struct{})
	p.done.Add(1)
	go p.draw(bar, job, totalBytes, p.quit)
}

// Add counts.
func (p *progress) Add(rows, bytes int64) {
	p.rows.Add(rows)
	p.bytes.Add(bytes)
}

// Stop takes the line off the screen.
func (p *progress) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quit == nil {
		return
	}
	close(p.quit)
	p.done.Wait()
	p.quit = nil
	p.con.mu.Lock()
	defer p.con.mu.Unlock()
	p.con.clear()
	p.con.clear = nil
}

func newBar(con *console, total int64) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(con.w),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetWidth(12),
		progressbar.OptionSetPredictTime(total > 0),
		progressbar.OptionSetElapsedTime(true),
		// The library's own ticker would write beside the console's lock.
		progressbar.OptionSetSpinnerChangeInterval(0))
}

func (p *progress) draw(bar *progressbar.ProgressBar, job string, total int64, quit <-chan struct{}) {
	defer p.done.Done()
	start := time.Now()
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		rows, bytes := p.rows.Load(), p.bytes.Load()
		if total > 0 {
			bytes = min(bytes, total-1) // a full bar would count as finished while rows still come
		}
		rate := float64(rows) / time.Since(start).Seconds()
		p.con.mu.Lock()
		bar.Describe(fmt.Sprintf("%-9s %s rows, %s rows/s", job, humanize.Comma(rows), humanize.Comma(int64(rate))))
		_ = bar.Set64(bytes)
		p.con.mu.Unlock()
	}
}

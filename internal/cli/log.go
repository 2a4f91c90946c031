package cli

import (
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/term"
)

// console is stderr, shared by the log and the progress bar: a log line first takes the bar off its line.
type console struct {
	mu    sync.Mutex
	w     io.Writer
	clear func() // takes the bar off the screen; nil when none is shown
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clear != nil {
		c.clear()
	}
	return c.w.Write(p)
}

func (c *console) isTerminal() bool {
	f, ok := c.w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	opt := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

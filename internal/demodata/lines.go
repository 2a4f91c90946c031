package demodata

import (
	"bufio"
	"context"
	"errors"
	"strings"

	"mss/internal/blob"
)

// lines writes lines of CSV, in little memory, and counts their bytes.
type lines struct {
	w    *bufio.Writer
	line []byte // the line being made; kept to spare allocations
	n    int64
}

// end writes the line out. Its error comes again from Flush, but a full disk should not be filled for long.
func (l *lines) end() error {
	l.line = append(l.line, '\n')
	n, err := l.w.Write(l.line)
	l.n += int64(n)
	l.line = l.line[:0]
	return err
}

// store makes one object of what fill writes, visible when it is whole.
func store(ctx context.Context, raw blob.Bucket, key string, fill func(*lines) error) (int64, error) {
	staged, err := raw.Stage(ctx, key)
	if err != nil {
		return 0, err
	}
	out := &lines{w: bufio.NewWriterSize(staged, 256<<10)}
	if err = fill(out); err == nil {
		err = out.w.Flush()
	}
	if closed := staged.Close(); err == nil {
		err = closed
	}
	if err == nil {
		_, err = staged.Publish(ctx, blob.Cond{})
	}
	if err != nil {
		return 0, errors.Join(err, staged.Abort(context.WithoutCancel(ctx)))
	}
	return out.n, nil
}

// appendField appends a field of CSV, quoted where it has to be.
func appendField(line []byte, s string) []byte {
	if !needsQuotes(s) {
		return append(line, s...)
	}
	line = append(line, '"')
	for i := range len(s) {
		if s[i] == '"' {
			line = append(line, '"')
		}
		line = append(line, s[i])
	}
	return append(line, '"')
}

func needsQuotes(s string) bool { return strings.ContainsAny(s, ",\"\r\n") }

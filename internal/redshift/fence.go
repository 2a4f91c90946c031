package redshift

import (
	"context"
	"fmt"

	"mss/internal/kpi"
)

// fenceWidth is the width of the text columns of mss_fence, in bytes.
const fenceWidth = 64

// fence is a lake's row of mss_fence: who loaded last. The zero fence stands for no row.
type fence struct {
	token int64
	run   string
	loads int64 // how many loads there were
}

// checkFence tells whether the names of f have room in mss_fence.
func checkFence(f kpi.Fence) error {
	for what, name := range map[string]string{"lake": f.Lake, "run": f.Run} {
		if len(name) > fenceWidth {
			return fmt.Errorf("the name of the %s, %q, has %d bytes: want at most %d", what, name, len(name), fenceWidth)
		}
	}
	return nil
}

// readFence reads the row of a lake. Of several rows, which nothing of ours leaves, the one with the greatest token counts.
func readFence(ctx context.Context, s session, lake string) (have fence, err error) {
	all, err := readFences(ctx, s)
	return all[lake], err
}

// readFences reads the rows of all lakes.
func readFences(ctx context.Context, s session) (map[string]fence, error) {
	all := map[string]fence{}
	err := s.query(ctx, selectFenceSQL, func([]string) error { return nil }, func(values []any) error {
		var row fence
		name, _ := values[0].(string)
		row.token, _ = values[1].(int64)
		row.run, _ = values[2].(string)
		row.loads, _ = values[3].(int64)
		if have, ok := all[name]; !ok || row.token > have.token {
			all[name] = row
		}
		return nil
	})
	return all, err
}

// admit refuses a run that is older than the one that loaded last.
func (have fence) admit(f kpi.Fence) error {
	if have.token > f.Token {
		return fmt.Errorf("%w: run %s has token %d, this run has %d; nothing was changed", kpi.ErrFenced, have.run, have.token, f.Token)
	}
	return nil
}

// writeFence replaces the row of a lake.
func writeFence(ctx context.Context, s session, lake string, f fence) error {
	if err := s.exec(ctx, deleteFenceSQL, lake); err != nil {
		return err
	}
	return s.exec(ctx, insertFenceSQL, lake, f.token, f.run, f.loads)
}

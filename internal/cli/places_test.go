package cli

import "testing"

func TestBuffersFollowTheMemoryLimit(t *testing.T) {
	for _, threads := range []int{1, 2, 8, 64} {
		if parts, uploads := transfer(0, threads); parts != usualParts || uploads != threads+2 {
			t.Errorf("no limit, %d threads: %d, %d", threads, parts, uploads)
		}
		for limit := int64(32 << 20); limit <= 8<<30; limit *= 2 {
			parts, uploads := transfer(limit, threads)
			if parts < 1 || parts > usualParts || uploads < 1 || uploads > threads+2 {
				t.Errorf("%d bytes, %d threads: %d parts, %d uploads", limit, threads, parts, uploads)
			}
			all := int64(threads*parts+uploads) * part
			if least := int64(threads+1) * part; all > max(limit/4, least+limit/8) {
				t.Errorf("%d bytes, %d threads: buffers of %d bytes", limit, threads, all)
			}
		}
	}
}

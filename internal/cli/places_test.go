package cli

import "testing"

func TestTransferFitsTheMemoryLimit(t *testing.T) {
	if size, parts := transfer(0, 8); size != 0 || parts != 0 {
		t.Errorf("no limit: %d, %d", size, parts)
	}
	for _, threads := range []int{1, 2, 8, 64} {
		for limit := int64(32 << 20); limit <= 8<<30; limit *= 2 {
			size, parts := transfer(limit, threads)
			if size < leastPart || size > usualPart || parts < 1 || parts > usualParts {
				t.Errorf("%d bytes, %d threads: parts of %d, %d of them", limit, threads, size, parts)
			}
			all := int64(2*threads) * size * int64(parts+1)
			if least := int64(2*threads) * leastPart * 2; all > max(limit/4, least) {
				t.Errorf("%d bytes, %d threads: buffers of %d bytes", limit, threads, all)
			}
		}
	}
}

package parquetio

import (
	"math"
	"testing"
)

func TestExceed(t *testing.T) {
	for _, n := range []int{0, 1, 7, 50000, math.MaxInt32} {
		for _, length := range []int{0, 1, 3, 4, 9} {
			for at := range length {
				codes := make([]int32, length)
				for _, c := range []int{0, n - 1, n, n + 1, math.MaxInt32} {
					if c < 0 || c > math.MaxInt32 {
						continue
					}
					codes[at] = int32(c)
					if got, want := exceed(codes, n), c >= n || n == 0; got != want {
						t.Errorf("a code %d among %d in a dictionary of %d: %v", c, length, n, got)
					}
				}
			}
		}
	}
	if exceed(nil, 0) {
		t.Error("no code exceeds an empty dictionary")
	}
}

package state

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestSumIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	for range 1000 {
		var s sum
		want, n := new(big.Int), int64(0)
		for range 1 + r.IntN(20) {
			v, k := int64(r.Uint64())>>r.IntN(64), r.Int64N(1<<40)
			s.add(v, k)
			want.Add(want, new(big.Int).Mul(big.NewInt(v), big.NewInt(k)))
			n += k
		}
		f, _ := new(big.Float).SetInt(want).Float64()
		if n > 0 && *s.mean(n) != f/float64(n) {
			t.Fatalf("%v, want %v / %d", *s.mean(n), want, n)
		}
	}
	if (sum{}).mean(0) != nil {
		t.Fatal("the mean of nothing is not nil")
	}
}

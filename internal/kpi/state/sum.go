package state

import (
	"math/big"
	"math/bits"
)

// sum is an exact sum of int64 values: 128 bits, two's complement.
type sum struct {
	hi uint64
	lo uint64
}

// add adds n times v.
func (s *sum) add(v, n int64) {
	hi, lo := bits.Mul64(uint64(v), uint64(n))
	if v < 0 {
		hi -= uint64(n) // the product of the unsigned v is n<<64 too great
	}
	s.merge(sum{hi, lo})
}

func (s *sum) merge(o sum) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, o.lo, 0)
	s.hi, _ = bits.Add64(s.hi, o.hi, carry)
}

// mean is the sum divided by n, each converted to float64 (the nearest, ties to even), divided once; nil when n is 0.
func (s sum) mean(n int64) *float64 {
	if n == 0 {
		return nil
	}
	x := new(big.Int).Lsh(big.NewInt(int64(s.hi)), 64)
	x.Add(x, new(big.Int).SetUint64(s.lo))
	f, _ := new(big.Float).SetInt(x).Float64()
	f /= float64(n)
	return &f
}

package integrate

import "mss/internal/parquetio"

// userIndex finds the code of a user_id: by an array when the ids lie close together, else by a Go map.
type userIndex struct {
	base   int64
	dense  []uint32 // by id-base, none where there is no such user
	sparse map[int64]uint32
}

// newUserIndex indexes a dictionary of user ids: the codes are the dictionary's.
func newUserIndex(dict *parquetio.Dict) *userIndex {
	n := dict.Len()
	x := &userIndex{}
	if n == 0 {
		return x
	}
	first, last := dict.Int(0), dict.Int(uint32(n-1))
	// The subtraction may overflow, and then gives a large unsigned number all the same.
	if span := uint64(last) - uint64(first); span < 8*uint64(n)+1024 {
		x.base = first
		x.dense = make([]uint32, span+1)
		for i := range x.dense {
			x.dense[i] = none
		}
		for code := range n {
			x.dense[dict.Int(uint32(code))-first] = uint32(code)
		}
		return x
	}
	x.sparse = make(map[int64]uint32, n)
	for code := range n {
		x.sparse[dict.Int(uint32(code))] = uint32(code)
	}
	return x
}

// lookup appends the code of each user to codes, none where the dimension does not know it.
func (x *userIndex) lookup(ids []int64, codes []uint32) []uint32 {
	if x.sparse != nil {
		for _, id := range ids {
			code, ok := x.sparse[id]
			if !ok {
				code = none
			}
			codes = append(codes, code)
		}
		return codes
	}
	for _, id := range ids {
		code := none
		if i := uint64(id) - uint64(x.base); i < uint64(len(x.dense)) {
			code = x.dense[i]
		}
		codes = append(codes, code)
	}
	return codes
}

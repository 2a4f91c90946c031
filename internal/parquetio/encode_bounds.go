package parquetio

import "mss/internal/schema"

// maxBound is the longest value that is kept as a min or max; a page with a longer one has none.
const maxBound = 1024

// bounds finds the least and the greatest value of codes. Within a sorted dictionary that is the least and greatest code;
// values of the extension are compared.
type bounds struct {
	c           *chunk
	any, anyExt bool
	lo, hi      uint32 // of the dictionary
	elo, ehi    uint32 // of the extension, by value
}

func (b *bounds) add(code uint32) {
	if n := uint32(b.c.dict.n); code >= n {
		b.addExt(code - n)
		return
	}
	if !b.any {
		b.any, b.lo, b.hi = true, code, code
	}
	b.lo, b.hi = min(b.lo, code), max(b.hi, code)
}

func (b *bounds) addExt(code uint32) {
	if !b.anyExt {
		b.anyExt, b.elo, b.ehi = true, code, code
		return
	}
	e := b.c.ext
	v := e.value(code)
	if compare(e.kind, v, e.value(b.elo)) < 0 {
		b.elo = code
	}
	if compare(e.kind, v, e.value(b.ehi)) > 0 {
		b.ehi = code
	}
}

func (b *bounds) addAll(codes []uint32) {
	n := uint32(b.c.dict.n)
	lo, hi := ^uint32(0), uint32(0)
	for _, c := range codes {
		if c >= n { // rare, and well predicted
			b.addExt(c - n)
			continue
		}
		lo, hi = min(lo, c), max(hi, c)
	}
	if lo <= hi {
		b.any, b.lo, b.hi = true, lo, hi
	}
}

// page is the min and max of what was added.
func (b *bounds) page() page {
	var p page
	if b.any {
		p.min, p.max = b.c.dict.value(b.lo), b.c.dict.value(b.hi)
	}
	if b.anyExt {
		e := b.c.ext
		lo, hi := e.value(b.elo), e.value(b.ehi)
		if p.min == nil || compare(e.kind, lo, p.min) < 0 {
			p.min = lo
		}
		if p.max == nil || compare(e.kind, hi, p.max) > 0 {
			p.max = hi
		}
	}
	if len(p.max) > maxBound || len(p.min) > maxBound || b.c.dict.kind == schema.Double {
		return page{}
	}
	// The dictionary's memory is used again for the next row group.
	p.min, p.max = append([]byte(nil), p.min...), append([]byte(nil), p.max...)
	return p
}

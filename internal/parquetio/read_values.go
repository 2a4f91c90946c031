package parquetio

import (
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"mss/internal/schema"
)

// appendPlain decodes n values of PLAIN encoding.
func (c *columnReader) appendPlain(v *values, b []byte, n int) error {
	size := map[format.Type]int{format.Int64: 8, format.Int32: 4, format.Int96: 12, format.Double: 8}[c.st.physical]
	if n < 0 || n > len(b)*8 || size*n > len(b) {
		return c.damaged("a page has %d bytes for %d values", len(b), n)
	}
	v.n += n
	switch c.st.physical {
	case format.Int64:
		for i := range n {
			v.ints = append(v.ints, int64(binary.LittleEndian.Uint64(b[8*i:])))
		}
		c.toMicros(v.ints[len(v.ints)-n:])
	case format.Int32:
		for i := range n {
			v.ints = append(v.ints, int64(int32(binary.LittleEndian.Uint32(b[4*i:]))))
		}
	case format.Int96:
		for i := range n {
			v.ints = append(v.ints, int96Micros(b[12*i:]))
		}
	case format.Double:
		for i := range n {
			v.floats = append(v.floats, math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		}
	case format.Boolean:
		v.appendBits(b, n)
	case format.ByteArray:
		for range n {
			if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
				return c.damaged("a text is cut off")
			}
			k := 4 + int(binary.LittleEndian.Uint32(b))
			v.text = append(v.text, b[4:k]...)
			b = b[k:]
			if len(v.text) > math.MaxInt32 {
				return c.damaged("the texts of a page have more than 2 GiB")
			}
			v.offs = append(v.offs, int32(len(v.text)))
		}
	}
	return nil
}

func (c *columnReader) toMicros(ts []int64) {
	if c.st.kind != schema.Timestamp || c.st.perUnit == 1 {
		return
	}
	for i, t := range ts {
		ts[i] = c.st.micros(t)
	}
}

// appendEncoded decodes n values of any encoding; but for PLAIN, which is ours, parquet-go knows them.
func (c *columnReader) appendEncoded(v *values, enc format.Encoding, b []byte, n int) (err error) {
	if enc == format.Plain {
		return c.appendPlain(v, b, n)
	}
	d := parquet.LookupEncoding(enc)
	var got int
	switch c.st.physical {
	case format.Int64:
		v.ints, err = d.DecodeInt64(v.ints, b)
		got = len(v.ints)
		c.toMicros(v.ints)
	case format.Int32:
		var ints []int32
		ints, err = d.DecodeInt32(nil, b)
		for _, i := range ints {
			v.ints = append(v.ints, int64(i))
		}
		got = len(ints)
	case format.Int96:
		var ints []deprecated.Int96
		ints, err = d.DecodeInt96(nil, b)
		for _, i := range ints {
			var raw [12]byte
			for k, w := range i {
				binary.LittleEndian.PutUint32(raw[4*k:], w)
			}
			v.ints = append(v.ints, int96Micros(raw[:]))
		}
		got = len(ints)
	case format.Double:
		v.floats, err = d.DecodeDouble(v.floats, b)
		got = len(v.floats)
	case format.Boolean:
		var bits []byte
		if enc == format.RLE && len(b) >= 4 { // RLE of bools has a length in front, also in V2 pages
			ints := make([]int32, n)
			_, err = decodeHybrid(ints, padded(b[4:]), 1)
			bits = make([]byte, (n+7)/8)
			for i, set := range ints {
				bits[i>>3] |= byte(set) << (i & 7)
			}
		} else {
			bits, err = d.DecodeBoolean(nil, b)
		}
		got = min(n, 8*len(bits))
		v.appendBits(bits, got)
	case format.ByteArray:
		var offs []uint32
		v.text, offs, err = d.DecodeByteArray(v.text, b, nil)
		v.offs = v.offs[:0]
		for _, o := range offs {
			v.offs = append(v.offs, int32(o))
		}
		got = len(offs) - 1
	}
	if err != nil {
		return c.damaged("a page cannot be decoded (%v): %v", enc, err)
	}
	if got < n {
		return c.damaged("a page has %d values, want %d", got, n)
	}
	v.truncate(n)
	return nil
}

// appendBits takes over n bools: Parquet stores them as Arrow does, from the low bit on.
func (v *values) appendBits(b []byte, n int) {
	v.bits = append(v.bits[:0], b[:(n+7)/8]...)
}

// bit is bool i.
func (v *values) bit(i int) bool { return v.bits[i>>3]>>(i&7)&1 != 0 }

// truncate keeps the first n values: some decoders fill up their last block.
func (v *values) truncate(n int) {
	v.n = n
	switch {
	case len(v.ints) > n:
		v.ints = v.ints[:n]
	case len(v.floats) > n:
		v.floats = v.floats[:n]
	case len(v.offs) > n+1:
		v.offs = v.offs[:n+1]
	}
}

// spread moves the values apart, so that there is one for each row: a null's is zero, or empty.
func (v *values) spread(kind schema.Kind, null []bool) {
	n := v.n
	v.n = len(null)
	switch kind {
	case schema.Int64, schema.Timestamp:
		v.ints = spread(v.ints, n, null)
	case schema.Double:
		v.floats = spread(v.floats, n, null)
	case schema.Bool:
		bits := make([]byte, (len(null)+7)/8)
		k := 0
		for i, isNull := range null {
			if isNull {
				continue
			}
			if v.bit(k) {
				bits[i>>3] |= 1 << (i & 7)
			}
			k++
		}
		v.bits = bits
	case schema.String:
		offs := make([]int32, 1, len(null)+1)
		k := 0
		for _, isNull := range null {
			if !isNull {
				k++
			}
			offs = append(offs, v.offs[k])
		}
		v.offs = offs
	}
}

func spread[T any](v []T, n int, null []bool) []T {
	var zero T
	for range len(null) - n {
		v = append(v, zero)
	}
	for i, k := len(null)-1, n-1; i >= 0; i-- {
		if null[i] {
			v[i] = zero
		} else {
			v[i] = v[k]
			k--
		}
	}
	return v
}

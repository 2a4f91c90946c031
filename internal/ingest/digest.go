package ingest

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"mss/internal/blob"
)

// digest hashes a range of an object as it is read: XXH3 (128 bits) of each stretch of chunk bytes, since chunks are read at the same
// time, by different workers.
type digest struct {
	at, end int64 // what is missing of the range
	chunk   int64
	h       *xxh3.Hasher
	sums    []byte
}

func newDigest(from, to, chunk int64) *digest {
	return &digest{at: from, end: to, chunk: chunk, h: xxh3.New()}
}

// add takes the bytes at pos. They come in order, though some may come twice, and some may lie outside the range.
func (d *digest) add(pos int64, p []byte) {
	if pos < d.at {
		p = p[min(int64(len(p)), d.at-pos):]
	} else if pos > d.at {
		return // a gap: complete will be false
	}
	for p = p[:min(int64(len(p)), d.end-d.at)]; len(p) > 0; {
		n := min(int64(len(p)), d.chunk-d.at%d.chunk)
		_, _ = d.h.Write(p[:n]) // never returns an error
		d.at += n
		p = p[n:]
		if d.at%d.chunk == 0 || d.at == d.end {
			sum := d.h.Sum128().Bytes()
			d.sums = append(d.sums, sum[:]...)
			d.h.Reset()
		}
	}
}

// complete gives the hashes of the stretches; it is not ok when a byte of the range was not read.
func (d *digest) complete() (sums []byte, ok bool) { return d.sums, d.at == d.end }

// combine makes the hash of an object of those of its stretches.
func combine(sums []byte, chunk int64) string {
	all := xxh3.Hash128(sums).Bytes()
	return "xxh3/" + strconv.FormatInt(chunk, 10) + ":" + hex.EncodeToString(all[:])
}

// SameBytes reads an object, and says whether it has the bytes that a Part's Hash was made of.
func SameBytes(ctx context.Context, b blob.Bucket, obj blob.Object, hash string) (bool, error) {
	name, _, _ := strings.Cut(hash, ":")
	chunk, err := strconv.ParseInt(strings.TrimPrefix(name, "xxh3/"), 10, 64)
	if err != nil || chunk <= 0 {
		return false, nil // another version's, or none: nobody knows
	}
	fail := func(err error) (bool, error) {
		return false, fmt.Errorf("compare %s in %s with what was read before: %w", obj.Key, b, remedied(err))
	}
	in, err := b.Open(ctx, obj)
	if err != nil {
		return fail(err)
	}
	defer in.Close()
	s, err := in.Stream(ctx, 0, obj.Size)
	if err != nil {
		return fail(err)
	}
	defer s.Close()
	d := newDigest(0, obj.Size, chunk)
	buf := make([]byte, 1<<20)
	for pos := int64(0); ; {
		n, err := s.Read(buf)
		d.add(pos, buf[:n])
		pos += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fail(err)
		}
	}
	sums, ok := d.complete()
	return ok && combine(sums, chunk) == hash, nil
}

package kpi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
)

// storeDir holds the states, below the curated place. Data objects never lie there, and nothing in it ends in .parquet.
const (
	storeDir = "_mss/kpi/"
	indexKey = storeDir + "index.json"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errUnusable is a file of the store that is missing or damaged. It is no failure: what it held is made anew.
var errUnusable = errors.New("it is missing or damaged")

// store is the folder of states. A run writes files under names that were never there before, then the index that names them, in one
// conditional write, and then deletes what the index does not name. So a run that is killed at any moment leaves the old index or
// the new one, with all that it names; what else is there is garbage, which the next run deletes.
type store struct {
	bucket blob.Bucket
	etag   string           // of the index document; "" when there is none
	index  *index           // nil when there is none, or none that can be used
	broken error            // why not
	there  map[string]int64 // the sizes of the files in the folder, by name, the index apart

	mu      sync.Mutex
	stamp   string
	written []string
}

// openStore reads the index, and lists what is there.
func openStore(ctx context.Context, b blob.Bucket) (*store, error) {
	s := &store{bucket: b, there: map[string]int64{}}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		data, obj, err := b.ReadAll(ctx, indexKey)
		if errors.Is(err, blob.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the states of the KPIs: %w", err)
		}
		s.etag = obj.ETag
		s.index, s.broken = parseIndex(data)
		return nil
	})
	group.Go(func() error {
		found, err := b.List(ctx, storeDir)
		if err != nil {
			return fmt.Errorf("list the states of the KPIs: %w", err)
		}
		for _, o := range found {
			if o.Key != indexKey {
				s.there[strings.TrimPrefix(o.Key, storeDir)] = o.Size
			}
		}
		return nil
	})
	return s, group.Wait()
}

// has says whether a file is there, as far as the listing tells.
func (s *store) has(f file) bool {
	size, ok := s.there[f.Name]
	return ok && size == f.Size
}

// read gives the bytes of a file; errUnusable when they are not the ones that were written.
func (s *store) read(ctx context.Context, f file) ([]byte, error) {
	if !s.has(f) {
		return nil, fmt.Errorf("%s: %w", f.Name, errUnusable)
	}
	data, _, err := s.bucket.ReadAll(ctx, storeDir+f.Name)
	if errors.Is(err, blob.ErrNotExist) || err == nil && checksum(data) != f.CRC32C {
		return nil, fmt.Errorf("%s: %w", f.Name, errUnusable)
	}
	if err != nil {
		return nil, fmt.Errorf("read the states of the KPIs: %w", err)
	}
	return data, nil
}

// write stores a file under a new name, which ends in kind.
func (s *store) write(ctx context.Context, kind string, data []byte) (file, error) {
	f := file{Name: s.name(kind), Size: int64(len(data)), CRC32C: checksum(data)}
	if _, err := s.bucket.Write(ctx, storeDir+f.Name, data, blob.Cond{}); err != nil {
		return file{}, fmt.Errorf("write the states of the KPIs: %w", err)
	}
	return f, nil
}

// name makes a name that no file ever had: a stamp of 64 random bits and a number.
func (s *store) name(kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stamp == "" {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never returns an error
		s.stamp = hex.EncodeToString(b[:])
	}
	name := fmt.Sprintf("%s-%06d.%s", s.stamp, len(s.written), kind)
	s.written = append(s.written, name)
	return name
}

// finish replaces the index, unless x is nil, and deletes what it does not name.
func (s *store) finish(ctx context.Context, x *index) error {
	if x == nil {
		return s.sweep(ctx)
	}
	data, err := x.encode()
	if err != nil {
		return err
	}
	cond := blob.Cond{IfNone: true}
	if s.etag != "" {
		cond = blob.Cond{IfMatch: s.etag}
	}
	obj, err := s.bucket.Write(ctx, indexKey, data, cond)
	if errors.Is(err, blob.ErrPrecondition) {
		return fmt.Errorf("write the states of the KPIs: another run replaced their index meanwhile; run the job again: %w", err)
	}
	if err != nil {
		return fmt.Errorf("write the states of the KPIs: %w", err)
	}
	s.etag, s.index = obj.ETag, x
	return s.sweep(ctx)
}

// sweep deletes what the index does not name.
func (s *store) sweep(ctx context.Context) error {
	named := map[string]bool{}
	for _, f := range s.index.files() {
		named[f.Name] = true
	}
	var garbage []string
	for name := range s.there {
		if !named[name] {
			garbage = append(garbage, storeDir+name)
		}
	}
	for _, name := range s.written {
		if !named[name] {
			garbage = append(garbage, storeDir+name)
		}
	}
	if len(garbage) == 0 {
		return nil
	}
	slices.Sort(garbage)
	if err := s.bucket.Delete(ctx, garbage...); err != nil {
		return fmt.Errorf("delete states of the KPIs that are no longer needed: %w", err)
	}
	return nil
}

func checksum(data []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(data, castagnoli)) }

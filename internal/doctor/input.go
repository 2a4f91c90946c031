package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/klauspost/compress/gzip"

	"mss/internal/blob"
	"mss/internal/csvio"
	"mss/internal/schema"
)

// headers is how many files of plays are opened: the first ones and the last ones.
const headers = 10

// input looks at the raw place: whether there are songs, users and plays, and whether their headers are right.
func (e *examination) input(ctx context.Context) {
	for _, p := range e.Places {
		if p.Role != "raw" {
			continue
		}
		if meta, ok := e.listRaw(ctx, p, "metadata/"); ok {
			for _, table := range []schema.Table{schema.RawSongs, schema.RawUsers} {
				name := "metadata/" + table.Name + ".csv"
				found := pick(meta, func(key string) bool { return key == name || key == name+".gz" })
				if len(found) > 1 {
					e.add(Finding{Area: "raw", Check: name, Status: Failed, Missing: []string{"a choice between the two"},
						Detail: "both " + name + " and " + name + ".gz are in " + p.Bucket.String(), Remedy: "remove one: a run refuses to choose"})
					continue
				}
				e.files(ctx, p, name, table, found)
			}
		}
		if all, ok := e.listRaw(ctx, p, "streams/"); ok {
			e.files(ctx, p, "streams/**.csv", schema.RawStreams, pick(all, func(key string) bool {
				return strings.HasSuffix(key, ".csv") || strings.HasSuffix(key, ".csv.gz")
			}))
		}
	}
}

func (e *examination) listRaw(ctx context.Context, p Place, folder string) ([]blob.Object, bool) {
	all, err := p.Bucket.List(ctx, folder)
	return all, e.tried("raw", "list "+folder, "s3:ListBucket", e.arn(p, ""), err, p.Bucket.String())
}

func pick(all []blob.Object, want func(key string) bool) []blob.Object {
	var some []blob.Object
	for _, o := range all {
		if want(o.Key) {
			some = append(some, o)
		}
	}
	return some
}

// files opens files of one table.
func (e *examination) files(ctx context.Context, p Place, name string, table schema.Table, all []blob.Object) {
	if len(all) == 0 {
		e.add(Finding{Area: "raw", Check: name, Status: Failed, Missing: []string{name}, Detail: "there is no " + name + " in " + p.Bucket.String(),
			Remedy: "copy it there, or name the right place with --raw"})
		return
	}
	var bytes int64
	for i, o := range all {
		bytes += o.Size
		if i >= headers/2 && i < len(all)-headers/2 {
			continue
		}
		err := header(ctx, p.Bucket, o, table)
		if err != nil {
			err = fmt.Errorf("%s in %s: %w", o.Key, p.Bucket, err)
		}
		if !e.tried("raw", "read "+name, "s3:GetObject", e.arn(p, o.Key), err, "") {
			f := e.last()
			var wrong *csvio.HeaderError
			if errors.As(err, &wrong) {
				f.Remedy = "correct the first line of the file: docs/contract.md lists the columns"
				if wrong.Missing != "" {
					f.Missing = []string{"column " + wrong.Missing}
				}
			}
			return
		}
		e.found = e.found[:len(e.found)-1] // one line for all files
	}
	count := fmt.Sprintf("%d files", len(all))
	if len(all) == 1 {
		count = all[0].Key
	}
	right := "with the right header"
	if len(all) > headers {
		right = fmt.Sprintf("the first %d and the last %d with the right header", headers/2, headers/2)
	}
	e.ok("raw", "read "+name, "%s, %s, %s", count, humanize.Bytes(uint64(bytes)), right)
}

// header reads the first line of a file.
func header(ctx context.Context, b blob.Bucket, o blob.Object, table schema.Table) error {
	if o.Size == 0 {
		return nil // a job takes it for a file without rows
	}
	in, err := b.Open(ctx, o)
	if err != nil {
		return err
	}
	defer in.Close()
	s, err := in.Stream(ctx, 0, min(o.Size, 4*csvio.MaxQuoted))
	if err != nil {
		return err
	}
	defer s.Close()
	var r io.Reader = s
	if strings.HasSuffix(o.Key, ".gz") {
		z, err := gzip.NewReader(s)
		if err != nil {
			return fmt.Errorf("gunzip: %w", err)
		}
		r = z
	}
	_, err = csvio.ReadLayout(r, table)
	return err
}

// Package demodata makes up input for mss: songs, users and plays as CSV, in the shape of the real ones.
//
// The same options give the same bytes, with any number of threads. The data has what real data
// has: popular and forgotten tracks, a daily rhythm, tracks under several genres, repeated and conflicting song
// rows, names in many scripts, quoted commas and quotes, plays of unknown tracks and users, and a few broken lines,
// well below the share that would refuse a run.
package demodata

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"

	"mss/internal/blob"
)

// Errors that Generate wraps.
var (
	ErrOccupied = errors.New("the place holds input that was not generated")
	ErrOptions  = errors.New("size out of range")
)

// Options say how much to make. Only Plays is required; the rest has defaults that grow with it.
type Options struct {
	Plays   int64  // valid plays in all files together; a broken line every couple of thousand comes on top
	Seed    uint64 // other seeds give other data
	Files   int    // files of plays: one for each million, at least 3
	Tracks  int    // distinct tracks in songs.csv: up to 90,000
	Users   int    // distinct users in users.csv: up to 50,000
	Threads int    // files that are written at the same time, at least 1
}

// Summary tells what was made.
type Summary struct {
	Plays   int64    `json:"plays"`
	Tracks  int      `json:"tracks"`
	Users   int      `json:"users"`
	Objects []string `json:"objects"`
	Bytes   int64    `json:"bytes"`
}

func (o Options) withDefaults() (Options, error) {
	if o.Plays < 1 {
		return o, fmt.Errorf("generate %d plays: %w: want at least 1", o.Plays, ErrOptions)
	}
	if o.Files < 0 || o.Tracks < 0 || o.Users < 0 {
		return o, fmt.Errorf("generate %d files, %d tracks, %d users: %w: want positive numbers, or 0 for the default",
			o.Files, o.Tracks, o.Users, ErrOptions)
	}
	if o.Files == 0 {
		o.Files = int(max(3, (o.Plays+999_999)/1_000_000))
	}
	if o.Tracks == 0 {
		o.Tracks = int(min(max(o.Plays/8, 200), 90_000))
	}
	if o.Users == 0 {
		o.Users = int(min(max(o.Plays/10, 100), 50_000))
	}
	o.Threads = max(o.Threads, 1)
	return o, nil
}

// Generate writes metadata/songs.csv, metadata/users.csv and streams/streamsN.csv to the raw place. It replaces
// what it made there before, and refuses a place that holds other input.
func Generate(ctx context.Context, raw blob.Bucket, opt Options) (Summary, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return Summary{}, err
	}
	keys := []string{songsKey, usersKey}
	for i := range opt.Files {
		keys = append(keys, streamKey(i))
	}
	old, err := claim(ctx, raw, keys)
	if err != nil {
		return Summary{}, err
	}

	w := newWorld(opt)
	sum := Summary{Plays: opt.Plays, Tracks: opt.Tracks, Users: opt.Users, Objects: keys}
	sizes := make([]int64, len(keys))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(opt.Threads)
	for i, key := range keys {
		g.Go(func() (err error) {
			sizes[i], err = store(gctx, raw, key, func(out *lines) error {
				switch i {
				case 0:
					return w.writeSongs(gctx, out)
				case 1:
					return w.writeUsers(gctx, out)
				}
				return w.writePlays(gctx, out, i-2)
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Summary{}, err
	}
	for _, n := range sizes {
		sum.Bytes += n
	}
	return sum, release(ctx, raw, old, keys)
}

// The streams of random numbers: each part of the data has its own, so that none depends on the order of work.
const (
	seedIDs = iota
	seedSongs
	seedUsers
	seedTables
	seedPlays // and up, one for each file
)

func (o Options) rand(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(o.Seed, stream)) }

package oracle

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Hazard says what Lake makes. The zero value of a number means none.
type Hazard struct {
	Seed    uint64
	Songs   int // rows of songs.csv
	Users   int // rows of users.csv
	Plays   int
	Files   int     // stream files the plays are spread over
	Bad     float64 // share of rows that break a rule
	Padding int     // about so many bytes in an extra column of each play
}

// Lake is the raw place as it is stored: content by key.
type Lake map[string][]byte

// New makes a raw lake that holds every hazard of the contract that its size allows. Two lakes of
// one Hazard are equal.
func (h Hazard) New() Lake {
	g := &generator{Rand: rand.New(rand.NewPCG(h.Seed, 1)), hazard: h}
	g.pools()
	lake := Lake{}
	songs := g.newFile([]string{"track_id", "artists", "track_name", "popularity", "duration_ms", "track_genre"}, 0)
	for range h.Songs {
		songs.add(g.song())
	}
	users := g.newFile([]string{"user_id", "created_at"}, 0)
	for range h.Users {
		users.add([]string{g.user(), g.createdAt()})
	}
	lake.put(g, "metadata/songs.csv", songs.bytes())
	lake.put(g, "metadata/users.csv", users.bytes())
	var files []*file
	for range h.Files {
		files = append(files, g.newFile([]string{"user_id", "track_id", "listen_time"}, h.Padding))
	}
	for range h.Plays {
		f := files[g.IntN(len(files))]
		f.add([]string{g.user(), pick(g, g.tracks), g.listenTime()})
	}
	for i, f := range files {
		folder := pick(g, []string{"", "2024/", "2024/06/", "a b/ü=1/", "x.csv/"})
		lake.put(g, fmt.Sprintf("streams/%sp%d.csv", folder, i), f.bytes())
	}
	lake["streams/empty.csv"] = nil
	lake["streams/header.csv"] = []byte("listen_time,user_id,track_id")
	lake["streams/bom.csv"] = []byte("\ufeff")
	lake["streams/notes.txt"] = []byte("no plays here")
	return lake
}

// put stores a file plain or, in one of three cases, compressed; some of these in two members.
func (l Lake) put(g *generator, key string, data []byte) {
	if g.IntN(3) > 0 {
		l[key] = data
		return
	}
	half := len(data)
	if g.IntN(2) == 0 {
		half = g.IntN(len(data) + 1)
	}
	l[key+".gz"] = append(Gzip(data[:half]), Gzip(data[half:])...)
}

// Gzip compresses.
func Gzip(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data) // a bytes.Buffer takes everything
	w.Close()
	return b.Bytes()
}

// Write stores the lake in a folder.
func (l Lake) Write(dir string) error {
	for key, data := range l {
		name := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Input picks the sources out of the lake.
func (l Lake) Input() (in Input, err error) {
	var keys []string
	for key := range l {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		plain := strings.TrimSuffix(key, ".gz")
		if !strings.HasSuffix(plain, ".csv") {
			continue
		}
		s := Source{key, l[key]}
		if plain != key && len(s.Data) > 0 {
			r, err := gzip.NewReader(bytes.NewReader(s.Data))
			if err != nil {
				return in, fmt.Errorf("%s: %w", key, err)
			}
			if s.Data, err = io.ReadAll(r); err != nil {
				return in, fmt.Errorf("%s: %w", key, err)
			}
		}
		switch {
		case plain == "metadata/songs.csv":
			in.Songs = s
		case plain == "metadata/users.csv":
			in.Users = s
		case strings.HasPrefix(key, "streams/"):
			in.Streams = append(in.Streams, s)
		}
	}
	return in, nil
}

// ReadLake reads the folder that Write wrote, or any other.
func ReadLake(dir string) (Lake, error) {
	l := Lake{}
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		l[filepath.ToSlash(rel)], err = os.ReadFile(name)
		return err
	})
	return l, err
}

type generator struct {
	*rand.Rand
	hazard                                   Hazard
	tracks, genres, names, artists, integers []string
	users, instants                          []string
}

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

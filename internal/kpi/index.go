package kpi

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"mss/internal/kpi/state"
	"mss/internal/lake"
	"mss/internal/schema"
)

// indexFormat is raised whenever states of before can no longer be used; so is the version in the files' own names in package state.
const indexFormat = 2

// index is the document that says which states there are, and what belongs to them. It is exact for a set of data objects: those that
// it lists.
type index struct {
	Semantics schema.Semantics `json:"semantics"`
	Sizes     state.Sizes      `json:"sizes"` // of the keys
	Keys      []file           `json:"keys"`  // one behind the other
	Total     file             `json:"total"` // of all objects
	Objects   []objectState    `json:"objects"`

	// Share is how many of the keys occurred when all states were made anew.
	Share share `json:"share"`

	// The rows and counts of the total, so that a run that finds nothing new need not read it.
	Rows   []kpiRow `json:"rows"`
	Counts counts   `json:"counts"`
}

// file is an object below the states' folder. No name is ever given to other bytes.
type file struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	CRC32C string `json:"crc32c"`
}

// objectState is the state of a data object of mss-transformed: of the version that has this size and checksum. The ETag does
// not count: an object that was copied has another.
type objectState struct {
	Key    string `json:"key"`
	Size   int64  `json:"size"`
	CRC32C string `json:"crc32c"`
	State  file   `json:"state"`
}

func (o *objectState) of(e lake.Entry) bool { return o.Size == e.Size && o.CRC32C == e.CRC32C }

// share is a part of the keys: 1 is all.
type share struct {
	Users  float64 `json:"users"`
	Tracks float64 `json:"tracks"`
}

func shareOf(r state.Result, keys state.Sizes) share {
	return share{float64(r.Users) / float64(max(keys.Users, 1)), float64(r.Tracks) / float64(max(keys.Tracks, 1))}
}

// kpiRow is a schema.KPI as JSON. Doubles are written so that they are read as the same.
type kpiRow struct {
	Type        string   `json:"kpi_type"`
	GroupBy     *string  `json:"group_by"`
	ListenCount int64    `json:"genre_listen_count"`
	AvgDuration *float64 `json:"genre_avg_duration"`
	Popularity  *float64 `json:"genre_popularity_index"`
	TopTrack    *string  `json:"top_track"`
	TopArtist   *string  `json:"top_artist"`
}

// setRows keeps the rows, unless JSON would change them.
func (x *index) setRows(rows []schema.KPI) {
	x.Rows = make([]kpiRow, 0, len(rows))
	for _, r := range rows {
		for _, text := range []*string{r.GroupBy, r.TopTrack, r.TopArtist} {
			if text != nil && !utf8.ValidString(*text) {
				x.Rows = nil
				return
			}
		}
		x.Rows = append(x.Rows, kpiRow(r))
	}
}

// rows gives the rows; nil when they were not kept.
func (x *index) rows() []schema.KPI {
	if x.Rows == nil {
		return nil
	}
	rows := make([]schema.KPI, 0, len(x.Rows))
	for _, r := range x.Rows {
		rows = append(rows, schema.KPI(r))
	}
	return rows
}

// document is the index as it is stored.
type document struct {
	Format int             `json:"format"`
	CRC32C string          `json:"crc32c"` // of the index's bytes
	Index  json.RawMessage `json:"index"`
}

// parseIndex reads an index. An unusable one gives an error that says why.
func parseIndex(data []byte) (*index, error) {
	var d document
	x := &index{}
	switch err := json.Unmarshal(data, &d); {
	case err != nil:
		return nil, fmt.Errorf("%s is damaged: %w", indexKey, err)
	case d.Format != indexFormat:
		return nil, fmt.Errorf("%s has format %d, this mss has %d", indexKey, d.Format, indexFormat)
	case checksum(d.Index) != d.CRC32C:
		return nil, fmt.Errorf("%s is damaged: its checksum is another", indexKey)
	}
	if err := json.Unmarshal(d.Index, x); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", indexKey, err)
	}
	return x, nil
}

// encode is the document.
func (x *index) encode() ([]byte, error) {
	data, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	data, err = json.Marshal(document{indexFormat, checksum(data), data})
	return append(data, '\n'), err
}

// files lists all files that belong to the index.
func (x *index) files() []file {
	all := append([]file{x.Total}, x.Keys...)
	for _, o := range x.Objects {
		all = append(all, o.State)
	}
	return all
}

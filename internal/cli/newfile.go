package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// newFile is a SQLite warehouse that does not exist yet: what the doctor can rehearse is making a file there.
type newFile string

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Grants are a server's.
func (f newFile) Grants(context.Context) ([]string, error) { return nil, nil }

// Rehearse makes a file in the folder of the warehouse or, where that is yet to be made, in the one above it.
func (f newFile) Rehearse(context.Context) error {
	dir := filepath.Dir(string(f))
	for !exists(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	probe, err := os.CreateTemp(dir, ".mss-doctor-")
	if err != nil {
		return fmt.Errorf("create the warehouse %s: %w; check the rights on the folder", string(f), err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// Close has nothing to close.
func (f newFile) Close() error { return nil }

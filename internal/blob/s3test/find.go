package s3test

import (
	"fmt"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const binary = "versitygw"

// find looks where a developer, make test-tools and go install put the server.
func find() (string, error) {
	if bin := os.Getenv("MSS_TEST_VERSITYGW"); bin != "" {
		if _, err := exec.LookPath(bin); err != nil {
			return "", fmt.Errorf("MSS_TEST_VERSITYGW: %w", err)
		}
		return bin, nil
	}
	if bin, err := exec.LookPath(binary); err == nil {
		return bin, nil
	}
	var tried []string
	for _, dir := range append(goBins(), moduleCache()) {
		bin := filepath.Join(dir, binary)
		if _, err := exec.LookPath(bin); err == nil {
			return bin, nil
		}
		tried = append(tried, bin)
	}
	return "", fmt.Errorf("no %s in PATH, nor %s: %s", binary, strings.Join(tried, ", "), remedy)
}

func goBins() []string {
	var dirs []string
	for _, dir := range filepath.SplitList(build.Default.GOPATH) {
		dirs = append(dirs, filepath.Join(dir, "bin"))
	}
	return dirs
}

// moduleCache is .cache/bin beside go.mod; tests run in the folders of their packages.
func moduleCache() string {
	dir, err := os.Getwd()
	if err != nil {
		return ".cache/bin"
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return filepath.Join(at, ".cache", "bin")
		}
		if at == filepath.Dir(at) {
			return filepath.Join(dir, ".cache", "bin")
		}
	}
}

package redshift

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// ErrURL is a warehouse URL that cannot be used. No text of it holds a password.
var ErrURL = errors.New("wrong warehouse URL")

const wantURL = "want sqlite:PATH, postgres://user@host:port/database, redshift://user@host:port/database or redshift-iam://workgroup/database"

// sqlitePath is the absolute path of a sqlite: URL.
func sqlitePath(s string) (string, error) {
	path := strings.TrimPrefix(s, "sqlite:")
	switch {
	case path == "":
		return "", fmt.Errorf("%w %q: the path is missing: want sqlite:PATH", ErrURL, s)
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return "", fmt.Errorf("%w %q: what follows // would be a host: want sqlite:PATH, as sqlite:lake/warehouse.db or sqlite:/srv/warehouse.db", ErrURL, s)
	case path == ":memory:":
		return "", fmt.Errorf("%w %q: a warehouse in memory would be gone with the run: want sqlite:PATH", ErrURL, s)
	case strings.ContainsRune(path, 0):
		return "", fmt.Errorf("%w %q: the path holds a NUL character", ErrURL, s)
	}
	// An absolute path is never taken for a file: URI by SQLite.
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("%w %q: %w", ErrURL, s, err)
	}
	return abs, nil
}

// serverURL reads a postgres:// or redshift:// URL. It is stricter than the driver, whose notion of where a password
// ends differs: what is unclear would turn up as a host or database name in an error, and must not get that far.
func serverURL(s string) (*url.URL, error) {
	wrong := func(why string) error {
		return fmt.Errorf("%w %s: %s", ErrURL, MaskURL(s), why)
	}
	const escape = "in user, password and parameters write special characters as %XX: %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #"
	u, err := url.Parse(s)
	if err != nil { // its text repeats the URL
		return nil, wrong("it is no valid URL; " + escape)
	}
	rest := s[strings.Index(s, "://")+len("://"):]
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if strings.Count(rest, "@") > 1 || strings.Count(authority, "@") != strings.Count(rest, "@") || strings.Contains(rest, "#") {
		return nil, wrong(escape)
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if pair != "" && !strings.Contains(pair, "=") {
			return nil, wrong("a parameter is written name=value; " + escape)
		}
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return nil, wrong("the parameters behind ? cannot be read; " + escape)
	}
	return u, nil
}

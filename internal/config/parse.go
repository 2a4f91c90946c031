package config

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"mss/internal/redshift"
)

// minMemoryLimit is the least heap that lets a job work instead of only collecting garbage.
const minMemoryLimit = 32 << 20

func text(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		*field(c) = s
		return nil
	}
}

func toggle(field func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, s string) error {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return errors.New("want true or false")
		}
		*field(c) = v
		return nil
	}
}

func place(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		if err := checkPlace(s); err != nil {
			return err
		}
		*field(c) = s
		return nil
	}
}

func checkPlace(s string) error {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case s == "":
		return errors.New("want a folder, file:// or s3://bucket[/prefix]")
	case !ok:
		return nil
	case scheme == "file" && rest != "":
		return nil
	case scheme == "s3":
		if bucket, _, _ := strings.Cut(rest, "/"); bucket == "" {
			return errors.New("the bucket is missing: want s3://bucket[/prefix]")
		}
		return nil
	}
	return errors.New("want a folder, file:// or s3://bucket[/prefix]")
}

func warehouse(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		if err := checkWarehouse(s); err != nil {
			return err
		}
		*field(c) = s
		return nil
	}
}

func checkWarehouse(s string) error {
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		if path == "" {
			return errors.New("the path is missing: want sqlite:PATH")
		}
		return nil
	}
	for _, scheme := range []string{"postgres://", "postgresql://", "redshift://"} {
		if !strings.HasPrefix(s, scheme) {
			continue
		}
		if _, err := url.Parse(s); err != nil {
			// The text of err repeats the URL, and the password in it.
			return errors.New("want a valid URL; special characters in a password are written %XX")
		}
		return nil
	}
	return errors.New("want sqlite:PATH, postgres://… or redshift://…")
}

func copyRole(c *Config, s string) error {
	if err := redshift.CheckRole(s); err != nil {
		return err
	}
	c.CopyRole = s
	return nil
}

func endpoint(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		if s != "" {
			u, err := url.Parse(s)
			if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
				return errors.New("want a URL such as http://localhost:7070")
			}
		}
		*field(c) = s
		return nil
	}
}

func ratio(field func(*Config) *float64) func(*Config, string) error {
	return func(c *Config, s string) error {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return errors.New("want a number from 0 to 1")
		}
		*field(c) = v
		return nil
	}
}

// duration is a Go duration of at least least.
func duration(least time.Duration, field func(*Config) *time.Duration) func(*Config, string) error {
	return func(c *Config, s string) error {
		d, err := time.ParseDuration(s)
		if err != nil {
			return errors.New("want a duration such as 90s, 5m or 1h30m")
		}
		if d < least {
			return fmt.Errorf("want at least %s", least)
		}
		*field(c) = d
		return nil
	}
}

func threads(c *Config, s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 4096 {
		return errors.New("want a number from 0 (all cores) to 4096")
	}
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	c.Threads = n
	return nil
}

func memoryLimit(c *Config, s string) error {
	c.MemoryLimit = 0
	if s == "" {
		return nil
	}
	n, err := humanize.ParseBytes(s)
	if err != nil || n > math.MaxInt64 {
		return errors.New("want a size such as 512MiB or 2GB")
	}
	if n < minMemoryLimit {
		return fmt.Errorf("want at least %s", humanize.IBytes(minMemoryLimit))
	}
	c.MemoryLimit = int64(n)
	return nil
}

func logLevel(c *Config, s string) error {
	return c.LogLevel.UnmarshalText([]byte(s))
}

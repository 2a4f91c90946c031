package redshift

import (
	"net/url"
	"regexp"
	"strings"
)

const masked = "***"

// secretKey matches the names of parameters whose value is a secret. sslkey and passfile are only paths.
var secretKey = regexp.MustCompile(`(?i)pass(word|wd|phrase|code)|pass$|pwd|secret|token|credential`)

// MaskURL is a warehouse URL with its passwords replaced by ***. It need not be valid: where it is unclear what
// belongs to a password, as after an unescaped slash in one, more is masked rather than less.
func MaskURL(s string) string {
	if strings.HasPrefix(s, "sqlite:") {
		return s
	}
	return maskUserinfo(maskParameters(s))
}

// maskUserinfo masks from the first colon behind the scheme to the last @.
func maskUserinfo(s string) string {
	start := 0
	if i := strings.Index(s, "://"); i >= 0 {
		start = i + len("://")
	}
	at := strings.LastIndexByte(s, '@')
	colon := strings.IndexByte(s[start:], ':') + start
	if colon < start || at < colon {
		return s
	}
	return s[:colon+1] + masked + s[at:]
}

// maskParameters masks the values of key=value parameters, each up to the next ampersand.
func maskParameters(s string) string {
	var out strings.Builder
	for len(s) > 0 {
		end := strings.IndexAny(s, "?& ;")
		if end < 0 {
			end = len(s) - 1
		}
		piece := s[:end+1]
		key, _, assigned := strings.Cut(piece, "=")
		if decoded, err := url.QueryUnescape(key); err == nil {
			key = decoded
		}
		if !assigned || !secretKey.MatchString(key) {
			out.WriteString(piece)
			s = s[end+1:]
			continue
		}
		// The value may itself hold the other separators.
		out.WriteString(s[:strings.IndexByte(s, '=')+1] + masked)
		next := strings.IndexByte(s, '&')
		if next < 0 {
			break
		}
		s = s[next:]
	}
	return out.String()
}

// scrub removes the secrets of a URL from a text that a library made of it.
func scrub(text string, u *url.URL) string {
	var secrets []string
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, password, url.QueryEscape(password), url.PathEscape(password))
	}
	for key, values := range u.Query() {
		if secretKey.MatchString(key) {
			secrets = append(secrets, values...)
		}
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, masked)
		}
	}
	return text
}

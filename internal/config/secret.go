package config

import (
	"errors"
	"regexp"
	"sync"
)

// secretForm is the id or the ARN of a secret of Secrets Manager. Names with ! are those of secrets that AWS manages.
// It is compiled when it is first asked for: that takes two milliseconds, a sixth of a run that finds nothing new.
var secretForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,512}$`)
})

func secretID(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		if s != "" && !secretForm().MatchString(s) {
			return errors.New("want the id or the ARN of a secret, not what is in it")
		}
		*field(c) = s
		return nil
	}
}

// maskSecretID shows an id, which holds nothing of the secret, and hides what may be the secret itself, pasted by mistake.
func maskSecretID(s string) string {
	if s == "" || secretForm().MatchString(s) {
		return s
	}
	return "***"
}

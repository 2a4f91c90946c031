package config

import (
	"errors"
	"regexp"
)

// secretForm is the id or the ARN of a secret of Secrets Manager. Names with ! are those of secrets that AWS manages.
var secretForm = regexp.MustCompile(`^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,512}$`)

func secretID(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		if s != "" && !secretForm.MatchString(s) {
			return errors.New("want the id or the ARN of a secret, not what is in it")
		}
		*field(c) = s
		return nil
	}
}

// maskSecretID shows an id, which is none of the secret, and hides what may be the secret itself, pasted.
func maskSecretID(s string) string {
	if s == "" || secretForm.MatchString(s) {
		return s
	}
	return "***"
}

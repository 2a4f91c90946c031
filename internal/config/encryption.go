package config

import (
	"errors"
	"regexp"
)

// kmsKeyForm is a key id (single-region or multi-region), an alias, or the ARN of either.
var kmsKeyForm = regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?(key/)?(mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$|^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?alias/[A-Za-z0-9/_-]+$`)

// kmsKey refuses what S3 would take for the id of a key in this account that does not exist.
func kmsKey(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		switch {
		case s == "", s == "AES256", s == "aws:kms", kmsKeyForm.MatchString(s):
			*field(c) = s
			return nil
		}
		return errors.New("want the id, the ARN or the alias/… of a KMS key, or aws:kms, or AES256")
	}
}

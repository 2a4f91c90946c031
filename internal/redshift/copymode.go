package redshift

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Mode is the way of the rows into the staging table.
type Mode string

// The modes. PostgreSQL and SQLite always insert.
const (
	Auto   Mode = "auto"   // copy on Redshift when there is a role and the temporary place is on S3, else insert
	Insert Mode = "insert" // INSERT of many rows at a time
	Copy   Mode = "copy"   // COPY of a Parquet object on S3
)

// CopyOptions say how rows get to Redshift. The zero value inserts.
type CopyOptions struct {
	Mode Mode
	// Role is what Redshift reads the object with: "default", its default role, or an ARN.
	Role string
	// Temp is the temporary place; nil is none.
	Temp Temp
}

// ErrCopy is a wrong setting of how rows are copied.
var ErrCopy = errors.New("the rows cannot be copied into the warehouse")

// copier is a COPY that has what it needs.
type copier struct {
	temp Temp
	role string // as SQL has it
}

// roleARN matches one role, or a chain of roles as Redshift takes it. No quote and no backslash is in it.
var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+(,arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+)*$`)

// Check tells, ahead of a run, whether the warehouse at url could be loaded so.
func (opt CopyOptions) Check(url string) error {
	if strings.HasPrefix(url, "postgres") || strings.HasPrefix(url, "sqlite:") {
		return nil
	}
	_, err := newCopier(opt)
	return err
}

// Copies tells whether a load of the warehouse at url would copy.
func (opt CopyOptions) Copies(url string) bool {
	if opt.Check(url) != nil || !strings.HasPrefix(url, "redshift") {
		return false
	}
	c, _ := newCopier(opt)
	return c != nil
}

// CheckRole tells whether role is one of CopyOptions.
func CheckRole(role string) error {
	if role == "" || role == "default" || roleARN.MatchString(role) {
		return nil
	}
	return errors.New("want default or the ARN of a role, such as arn:aws:iam::123456789012:role/redshift-copy")
}

// newCopier is nil where rows are to be inserted.
func newCopier(opt CopyOptions) (*copier, error) {
	if err := CheckRole(opt.Role); err != nil {
		return nil, fmt.Errorf("%w: role %q: %w", ErrCopy, opt.Role, err)
	}
	role := opt.Role
	if role != "default" {
		role = quote(role)
	}
	isS3 := opt.Temp != nil && strings.HasPrefix(opt.Temp.String(), "s3://")
	switch opt.Mode {
	case Copy:
		if opt.Role == "" {
			return nil, fmt.Errorf("%w: set copy-role to default or to the ARN of a role that Redshift reads the temporary place with", ErrCopy)
		}
		if !isS3 {
			return nil, fmt.Errorf("%w: Redshift copies from S3 only; set temp to s3://bucket", ErrCopy)
		}
	case Auto:
		if opt.Role == "" || !isS3 {
			return nil, nil
		}
	default:
		return nil, nil
	}
	return &copier{temp: opt.Temp, role: role}, nil
}

// folder is the URI of the folder of an object. It ends in a slash: to COPY a prefix is no folder, and RUN would also
// stand for RUN2/.
func (c *copier) folder(key string) string {
	return strings.TrimSuffix(c.temp.String(), "/") + "/" + path.Dir(key) + "/"
}

package csvio

import "fmt"

// The reasons for which a row is rejected. Where several apply, the first in this order is given, and of the columns the
// first in the order of the table.
const (
	BadQuoting   = "bad_quoting"   // unclosed or stray quote; only the record's first physical line is rejected
	FieldCount   = "field_count"   // more or fewer fields than the header; an empty line too
	InvalidUTF8  = "invalid_utf8"  // anywhere in the record
	MissingKey   = "missing_key"   // a required field is empty
	BadInteger   = "bad_integer"   // not -?[0-9]+ within int64
	BadTimestamp = "bad_timestamp" // not a timestamp of the years 0001 to 9999
)

// Reject is a record that broke a rule.
type Reject struct {
	Line   int64  // physical line of the record's first byte; the header is line 1
	Column string // header of the column at fault; "" when the whole record is
	Reason string
	Raw    []byte // the record as it stands, without its line end
}

func (r Reject) String() string {
	return fmt.Sprintf("line %d: %s %s", r.Line, r.Reason, r.Column)
}

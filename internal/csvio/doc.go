// Package csvio reads CSV (RFC 4180, UTF-8, header by name) into typed rows, and says of every row that it
// cannot take why. It knows formats only: no table by name, no storage, no policy.
//
// Terms. A physical line ends with LF; a CR right before that LF, or before the end of the file, belongs to the
// line end. A record is one or, with quoted newlines, several physical lines. A row is a record whose fields have been
// checked against a schema.Table. A reject is a record that broke a rule.
//
// A Scanner works on a chunk: the records that begin in a range of bytes of the file. The chunks of a file can be scanned
// at the same time: a chunk that does not know where its first record begins assumes that this is behind its first newline,
// and tells so in Start; whoever puts the chunks together compares that with the End of the chunk before, and scans
// again from there when they differ (a quoted newline lay across the cut). The rows are thus those of one
// scan from the beginning, whatever the cuts.
//
// Two readers share the Scanner: Rows for tables of any shape, and Plays, the hot path, which takes lines of the one
// shape that plays nearly always have by words of eight bytes, and hands every other line to the same code as Rows.
package csvio

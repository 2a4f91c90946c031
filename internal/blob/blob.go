// Package blob is the boundary to object storage: a Bucket is a folder, an S3 prefix, or memory.
//
// Keys are slash-separated, relative to the place, never begin with a slash, and never contain "." or ".." elements.
// The drivers are fileblob, s3blob and memblob; blobtest holds the suite that each of them passes.
package blob

import (
	"context"
	"errors"
	"io"
	"time"
)

// Errors that callers tell apart, with errors.Is.
var (
	ErrNotExist     = errors.New("object does not exist")
	ErrPrecondition = errors.New("object is not in the expected state") // a conditional write or delete lost
	ErrChanged      = errors.New("object changed while it was read")
	ErrKey          = errors.New("not a valid object key")
	ErrURL          = errors.New("not a place that mss can open") // a wrong --raw, --curated …: wrong usage, not bad luck
)

// Object is what a listing says of one object. ETag identifies the version: equal ETag, equal bytes, unless Weak.
// It has no quotes around it. ModTime is the store's; it is zero in what Write and Publish return on S3,
// which does not tell.
type Object struct {
	Key     string
	Size    int64
	ETag    string
	ModTime time.Time
	// Weak says that the object was modified so shortly before that another modification may keep the ETag: the
	// clock of a file system ticks slowly. Who remembers the object looks at its bytes the next time.
	Weak bool
	// Seen is the time by the store's clock when Stat or ReadAll answered: Seen - ModTime is the age of the object,
	// whatever the local clock says. Zero elsewhere.
	Seen time.Time
}

// Cond is the condition of a Write or of a Publish: the zero value writes always.
type Cond struct {
	IfMatch string // write only when the object has this ETag
	IfNone  bool   // write only when there is no object
}

// Bucket is one place of the lake. All methods may be called concurrently.
type Bucket interface {
	// String is the place as the user wrote it: a folder, or s3://bucket/prefix. It holds no secret.
	String() string
	// List returns all objects whose key begins with prefix, in the byte order of their keys.
	// A place or prefix that does not exist is empty, not an error.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Stat describes one object; ErrNotExist when there is none.
	Stat(ctx context.Context, key string) (Object, error)
	// Open reads one version of an object: obj as List or Stat returned it. Open or the reads fail with
	// ErrChanged when the object has been replaced since and its old bytes are gone. Without an ETag in
	// obj it is the version that is there now. ctx holds for ReadAt as well, which has none of its own.
	Open(ctx context.Context, obj Object) (Reader, error)
	// ReadAll reads a small object whole; ErrNotExist when there is none.
	ReadAll(ctx context.Context, key string) ([]byte, Object, error)
	// Write stores a small object in one step: a reader sees the old bytes or the new.
	// ErrPrecondition when cond does not hold.
	Write(ctx context.Context, key string, data []byte, cond Cond) (Object, error)
	// Stage begins an object that nobody sees until it is published. When ctx ends, Write and Close fail;
	// Abort still works.
	Stage(ctx context.Context, key string) (Staged, error)
	// Delete removes objects; those that are gone already are no error.
	Delete(ctx context.Context, keys ...string) error
	// DeleteVersion removes an object only while it has the ETag of obj; ErrPrecondition when it has another. One that
	// is gone already is no error.
	DeleteVersion(ctx context.Context, obj Object) error
	// Unfinished lists what is staged in the place and neither published nor aborted, by whichever process, dead or alive.
	Unfinished(ctx context.Context) ([]Unfinished, error)
	// Discard removes what Unfinished listed; that it is gone already is no error.
	Discard(ctx context.Context, u Unfinished) error
}

// Unfinished is a staged object of some process. Of key and owner a store knows at least one.
type Unfinished struct {
	Key   string // of the object that it was to become, or ""
	Owner string // whom the place was opened for by the process that staged it, or ""
	ID    string // the store's name for it
}

// Reader reads one version of an object.
type Reader interface {
	io.ReaderAt
	io.Closer
	// Stream reads length bytes from off in order (fewer at the end of the object), reading ahead where
	// that helps. The caller closes it. It never ends early: bytes that the listing promised and that
	// are not there are ErrChanged.
	Stream(ctx context.Context, off, length int64) (io.ReadCloser, error)
}

// Staged is an object on its way: Write all of it, Close, then Publish or Abort.
type Staged interface {
	// Write appends. The caller may reuse p. An error is kept, and returned by Close as well.
	io.Writer
	// Close ends the content and waits until all of it is stored, still invisible.
	Close() error
	// Publish makes the object visible under its key in one step, replacing what was there. ErrPrecondition when
	// cond does not hold.
	Publish(ctx context.Context, cond Cond) (Object, error)
	// Abort discards the object and whatever of it is stored. After Publish it does nothing.
	Abort(ctx context.Context) error
}

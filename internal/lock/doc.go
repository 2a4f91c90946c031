// Package lock lets one run at a time into a lake.
//
// The document _mss/lock.json of the curated place says who holds the lock, or who held it last. Each holder gets a token, one
// greater than that of the holder before: whoever publishes with an old token is refused (fencing), by conditional
// writes in the lake and by a table in the warehouse.
//
// In a folder the operating system locks the file _mss/run.lock for the process, and unlocks it when the process dies, so
// the document is only for information. On S3 the document is a lease: its holder writes it anew every third
// of its time to live, on condition that it is still the one that it wrote; one that was not renewed in time, by the
// server's own clock, is taken over by the next run. So is one whose holder was a process of this machine that is gone.
//
// A run that ends without having undone what it left, because it failed or was killed, stays listed in the document
// until a later run has cleaned up behind it (package lake, Recovery).
package lock

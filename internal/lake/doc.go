// Package lake knows the datasets of the lake and publishes them.
//
// A Dataset is a folder of Parquet objects. A Txn replaces it: its objects are staged where nobody sees them; Commit writes down
// which ones it is about to publish (pending.json), publishes each in one step, replaces the snapshot that lists them
// in one conditional write, and deletes what only the old snapshot listed. Whoever reads through the snapshot gets the
// objects of one run; whoever lists the folder finds each object old or new. A run that is killed in between leaves
// pending.json, by which the next run knows its objects for mss's own.
package lake

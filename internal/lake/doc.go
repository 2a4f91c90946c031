// Package lake knows the datasets of the lake, publishes them, and repairs what a killed run left.
//
// A Dataset is a folder of Parquet objects, and a Snapshot the one document that lists them. A Txn replaces some of the objects, and
// keeps the others:
//
//  1. Intend writes _mss/<dataset>/pending.json, which names all objects that the run may stage.
//  2. Objects are staged, where nobody sees them.
//  3. Commit writes pending.json anew: now it holds the snapshot that is to come. It then publishes each object in one step, on
//     condition that what it replaces is what was listed in the beginning; writes the snapshot, on condition that it still is
//     the one that was read; deletes what only the old one listed; and removes pending.json.
//
// Whoever reads through the snapshot gets the objects of one run, or notices that one is not the listed one; whoever lists the folder
// finds each object old or new.
//
// A run that is killed leaves pending.json. The next one, which holds the lock, looks by it for staged objects and discards them. Where
// publishing had begun (Recovery), it finds for each object whether it is the old or the new one, and writes a snapshot of what is
// there: it is complete when all are new, and otherwise marked as incomplete, which only the job that writes the
// dataset accepts as input. It touches nothing that pending.json or the snapshot does not name.
package lake

package state

// Null is the code of a null in a Run.
const Null = -1

// Run is a stretch of rows of one song: all of them have the same codes.
type Run struct {
	Rows                                              int32
	Track, Artists, Name, Popularity, Duration, Genre int32 // codes of the dictionaries; all but Track may be Null
	Primary                                           bool
}

// Batch is a stretch of rows.
type Batch struct {
	Runs  []Run   // their rows are all rows, in order
	Users []int32 // by row: a code of the dictionary
	Hours []uint8 // by row: the hour of listen_time, below 24
	Dict  Dicts
}

// Dicts are the dictionaries that the codes of a Batch refer to.
type Dicts struct {
	Users                          Ints
	Tracks, Artists, Names, Genres Texts
	Popularity, Duration           Ints
}

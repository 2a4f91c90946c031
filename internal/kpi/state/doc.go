// Package state holds exact, mergeable partial results of the KPIs, in memory and as files.
//
// Rows are folded into a Total, by a Folder for each worker. Keys number users, tracks, artists texts and songs (a track together with
// its artists text); everything else refers to them by these numbers, the codes. A Folder also makes, of each row group, a part of the
// state of the object that the row group belongs to. From states of objects a Loader makes a Total again. Whatever way a Total came
// about (rows in any order, cut into any row groups and objects, folded, loaded, or both, then merged), its Rows are the same.
//
// A Total keeps for each user and each track the hours in which it occurs, and for each artists text how many rows there are in each
// hour. Of each genre it keeps sums of 128 bits, counts, and the top row.
//
// # Files
//
// Numbers are varints of encoding/binary (signed ones in zigzag) unless a width is given; widths are little-endian. A text is its
// length plus one, or 0 for NULL, and its bytes. A list of codes is its length, then the difference of each code to the one before.
// Files have no checksum of their own: whoever keeps them has one, and does not hand in a file that is not whole. Each begins with five
// bytes that name its kind and the version of the layout: raise the last byte when the layout changes, and states of before are
// refused and made anew.
//
//	keys     "kpik\x01"; for users, tracks, artists, songs: how many there were before this file, and are with it;
//	         users: the difference to the one before; tracks: all lengths, then all bytes; artists: likewise;
//	         songs: of each the difference of the track's code to the one before (signed), then of each the artists' code plus one, or 0 for NULL.
//	         Keys are the files one behind the other.
//	object   "kpio\x01"; parts, one of each row group:
//	           size of the columns; size of them compressed by zstd, or 0 when they are not (4 bytes); the columns:
//	             rows, plays, rows that count in the hours
//	             genres: that of no genre; a number; of each a text, and the genre
//	             users: a list of codes
//	             runs: a list of codes of songs, then of each the number of its rows
//	             a byte, 0 or 1; if it is 1, of each user the number of its hours
//	           of each user its hours: if the byte is 0 as three bytes of bits, else in five bits each; the last byte is filled up
//	           of each row of the runs its hour, in five bits; the last byte is filled up
//	total    "kpit\x01"; rows, plays, rows that count in the hours; genres;
//	         a number of users, then of each its hours, as three bytes of bits; tracks: likewise;
//	         a number of artists, the first of which is NULL, then of each its hours, likewise, and for each of these the number of rows
//	genre    rows; rows that have a duration; rows that have a popularity; sum of durations, sum of popularities (16 bytes each: the
//	         upper half, then the lower); a byte: 0 no top row, 1 it has no popularity, 2 it has: then the popularity (signed);
//	         then track_name and artists of the top row, two texts
//
// A user may come twice in a list, and so may a song: its hours, or rows, then belong together. A part has all hours of a song's rows
// rather than how many there are of each hour: in a small file most would be one.
package state

// Package parquetio writes and reads Parquet. It knows the format only: columns of dictionary codes, no table by name.
//
// Why not a library's writer: the values that mss writes come from small dimension tables, so their dictionary codes are known
// before a row is written, while a general writer hashes every value to find them anew (10 to 30 times the CPU time,
// see docs/benchmarks.md). The structs and the thrift protocol of the format, and the reading of
// files that others wrote, are parquet-go's.
//
// # What a file of ours looks like
//
//	PAR1
//	row group 0: column chunk 0: [dictionary page] data page, data page …
//	             column chunk 1: …
//	row group 1: …
//	column indexes, offset indexes (min, max, nulls and place of each page)
//	footer, its length, PAR1
//
// A data page (V1, Snappy, with a checksum) holds PageRows rows of one column, the last page of a row group fewer; so the pages of
// all columns of a row group begin at the same rows. Uncompressed it is
//
//	nullable columns: 4 bytes length, definition levels (1 = there is a value) as an RLE hybrid of width 1
//	coded columns:    1 byte width, then an RLE hybrid of dictionary codes, of the rows that are not null
//	plain columns:    the values in PLAIN encoding: 8 bytes little-endian, or for bools one bit
//
// An RLE hybrid is a sequence of runs: varint(n<<1) and the value for n equal values, or varint(groups<<1|1) and groups
// of eight values, bit-packed from the low end.
//
// A dictionary page that is large and that Snappy cannot compress is one literal of it: it can be taken as it is stored.
//
// Dictionaries are sorted by value, so the order of codes is the order of values and min and max need no
// comparison of texts; only an extension (values that a dimension does not know) stands unsorted behind them.
//
// # How files are read
//
// ReadTable reads a small table whole. BatchReader reads row groups as Arrow record batches, of files of any writer. RunReader is for row
// groups that look like the above, as a look at their metadata and at the heads of all their pages tells before anything is handed out; it
// reads song columns as runs, and both ways read the same values (runs_test.go). A RunReader believes no more of the data than a
// BatchReader: codes are compared with the size of their dictionary, rows need not be clustered, dictionaries need not be alike.
package parquetio

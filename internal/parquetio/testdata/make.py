#!/usr/bin/env python3
"""Makes the files of this folder: the same 100 rows by other writers. Needs pyarrow and duckdb."""
import datetime
import os

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

os.chdir(os.path.dirname(os.path.abspath(__file__)))
epoch = datetime.datetime(1970, 1, 1)
rows = [{"user_id": i * 7 - 50, "track_id": "track-" + "é" * (i % 3),
         "listen_time": epoch + datetime.timedelta(days=-50, hours=i, microseconds=1000 * i),
         "popularity": None if i % 3 == 0 else i % 11,
         "genre": None if i % 4 == 0 else ["jazz", 'pop, "rock"', "花"][i % 3], "is_primary": i % 2 == 0}
        for i in range(100)]
t = pa.Table.from_pylist(rows, pa.schema([("user_id", pa.int64()), ("track_id", pa.string()), ("listen_time", pa.timestamp("us")),
                                          ("popularity", pa.int64()), ("genre", pa.string()), ("is_primary", pa.bool_())]))
pq.write_table(t, "pyarrow_v1_snappy.parquet", compression="snappy")
pq.write_table(t, "pyarrow_v2_zstd.parquet", compression="zstd", data_page_version="2.0", row_group_size=33)
pq.write_table(t, "pyarrow_plain_gzip.parquet", compression="gzip", use_dictionary=False)
pq.write_table(t, "pyarrow_int96.parquet", use_deprecated_int96_timestamps=True)
pq.write_table(t, "pyarrow_delta.parquet", use_dictionary=False, data_page_version="2.0", compression="none",
               column_encoding={"user_id": "DELTA_BINARY_PACKED", "listen_time": "DELTA_BINARY_PACKED", "popularity": "DELTA_BINARY_PACKED",
                                "track_id": "DELTA_LENGTH_BYTE_ARRAY", "genre": "DELTA_BYTE_ARRAY", "is_primary": "RLE"})
pq.write_table(t, "pyarrow_millis.parquet", coerce_timestamps="ms", version="1.0", dictionary_pagesize_limit=64, data_page_size=64)
pq.write_table(t.set_column(2, "listen_time", t.column(2).cast(pa.timestamp("ns"))), "pyarrow_nanos.parquet", write_page_index=True, write_page_checksum=True)
duckdb.sql("COPY t TO 'duckdb.parquet' (FORMAT parquet, COMPRESSION snappy)")
duckdb.sql("COPY t TO 'duckdb_v2.parquet' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)")

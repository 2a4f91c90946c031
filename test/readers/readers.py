"""Proves that other readers find in the Parquet of mss what pyarrow finds there: `make test-readers`.

    readers.py MSS WORK

It makes lakes under WORK with the program MSS, reads every dataset whole with pyarrow, DuckDB, Polars, Spark and
parquet-go, and compares names, types, NULLs and contents. A content is compared as a multiset: each row has one
canonical text (below), and what is compared is the number of rows and the sum of the hashes of their texts, so no
reader has to keep an order. Then it looks whether the statistics and page indexes let a reader skip what a filter rules out.
"""
import glob
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime

import duckdb
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyspark
from pyspark.sql import SparkSession

# The columns of docs/contract.md, in order; "!" marks those that cannot be NULL.
SONGS = "track_id string!, artists string, track_name string, popularity int64, duration_ms int64, genre string, is_primary bool!"
PLAYS = ("user_id int64!, track_id string!, listen_time timestamp[us]!, artists string, track_name string, popularity int64, "
         "duration_ms int64, genre string, created_at timestamp[us], is_primary bool!")
KPI = ("group_by string, genre_listen_count int64!, genre_avg_duration double, genre_popularity_index double, "
       "top_track string, top_artist string")
DATASETS = {
    "songs": ("curated/processed-metadata/songs/songs.parquet", SONGS),
    "users": ("curated/processed-metadata/users/users.parquet", "user_id int64!, created_at timestamp[us]"),
    "mss-transformed": ("curated/mss-transformed/**/*.parquet", PLAYS),
    "kpi genre": ("analytics/kpi_output/kpi_type=genre/kpi.parquet", KPI),
    "kpi hourly": ("analytics/kpi_output/kpi_type=hourly/kpi.parquet", KPI),
}
# Each reader's own names of the five types.
TYPES = {
    "duckdb": {"BIGINT": "int64", "VARCHAR": "string", "TIMESTAMP": "timestamp[us]", "BOOLEAN": "bool", "DOUBLE": "double"},
    "polars": {"Int64": "int64", "String": "string", "Datetime(time_unit='us', time_zone=None)": "timestamp[us]",
               "Boolean": "bool", "Float64": "double"},
    "spark": {"bigint": "int64", "string": "string", "timestamp_ntz": "timestamp[us]", "boolean": "bool", "double": "double"},
}

results = {True: 0, False: 0}


def check(name, ok, detail=""):
    results[bool(ok)] += 1
    print(("ok    " if ok else "FAIL  ") + name + (": " + detail if detail else ""), flush=True)


# ---- lakes ----

def edge_input(raw):
    """Values at the borders of their types, sources at any depth, gzip, no rows: what generated plays do not have."""
    songs = [["track_id", "artists", "track_name", "popularity", "duration_ms", "track_genre"],
             ["a", "Zoë;Ünal", 'say "hi", twice', "0", "1", "pop"],
             ["a", "Zoë;Ünal", 'say "hi", twice', "0", "1", "rock"],
             ["b", "", "", "", "", ""],
             ["ключ", "line\nbreak", "  outer spaces ", str(-2**63), str(2**63 - 1), "жанр"],
             ["\U0001F3B5" * 30, "\uffff", "x" * 5000, "-1", "-1", "\U0001F3B5"]]
    users = [["user_id", "created_at"], ["0", "0001-01-01"], ["-1", "9999-12-31 23:59:59.999999"],
             [str(-2**63), "1582-10-10"], [str(2**63 - 1), ""]]
    head = ["user_id", "track_id", "listen_time"]
    streams = {
        "values.csv": [head] + [[u[0], s[0], t] for u in users[1:] + [["77", ""]] for s in songs[1:] + [["unknown"]]
                                for t in ("0001-01-01T00:00:00.000001", "1582-10-10 00:00:00", "1969-12-31 23:59:59.999999",
                                          "9999-12-31 23:59:59.999999")],
        "days/1.csv": [head] + [["0", "a", "2024-06-01 %02d:00:00" % h] for h in range(24)],
        "days/2.csv.gz": [head] + [["0", "unknown", "2024-06-02 %02d:00:00" % h] for h in range(24)],
        "days/3.csv": [head] + [["7", "b", "2024-06-03 %02d:00:00" % h] for h in range(24)],
        "deep/er/none.csv": [head],
    }
    files = {"metadata/songs.csv": songs, "metadata/users.csv": users} | {"streams/" + k: v for k, v in streams.items()}
    for name, rows in files.items():
        path = os.path.join(raw, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        text = "".join(",".join('"%s"' % f.replace('"', '""') if set(f) & set('",\n') else f for f in r) + "\n" for r in rows)
        with (gzip.open if name.endswith(".gz") else open)(path, "wb") as f:
            f.write(text.encode())


def make_lakes(mss, work):
    """small: generated, several files, with its hazards. big: one file of two row groups. edge: see edge_input."""
    shutil.rmtree(work, ignore_errors=True)
    lakes = {}
    for lake, args in {"small": ["--plays", "30000", "--files", "4"], "big": ["--plays", "1500000", "--files", "1"], "edge": None}.items():
        d = lakes[lake] = os.path.join(work, lake)
        if args:
            subprocess.run([mss, "generate", "--raw", d + "/raw", "--log-level", "warn", *args],
                           check=True, stdout=subprocess.DEVNULL)
        else:
            edge_input(d + "/raw")
        subprocess.run([mss, "run", "all", "--raw", d + "/raw", "--curated", d + "/curated", "--analytics", d + "/analytics", "--temp",
                        d + "/temp", "--warehouse", f"sqlite:{d}/warehouse.db", "--no-progress", "--log-level", "warn"],
                       check=True, stdout=subprocess.DEVNULL)
    return lakes


# ---- canonical form ----

def digest(batches):
    """Rows, and the sum modulo 2^64 of the first 8 bytes of the SHA-256 of each row's text. The text of a row is that of its
    values one after the other: "-" for NULL, else length in bytes, ":" and the value; timestamps are microseconds since 1970,
    bools true and false, doubles their 64 bits as a signed integer. readers_test.go has the same in Go."""
    rows, total = 0, 0
    for batch in batches:
        texts = []
        for c in batch.columns:
            if pa.types.is_timestamp(c.type):
                c = c.cast(pa.timestamp("us")).cast(pa.int64())
            elif pa.types.is_floating(c.type):
                c = c.view(pa.int64())
            c = c.cast(pa.string())
            texts.append(pc.coalesce(pc.binary_join_element_wise(pc.binary_length(c).cast(pa.string()), c, ":"), "-"))
        for text in pc.binary_join_element_wise(*texts, "").to_pylist():
            total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        rows += len(batch)
    return [rows, f"{total % 2**64:016x}"]


def of_table(table):
    return digest(table.to_batches(max_chunksize=1 << 16))


# ---- readers: each gives (schema, digest) of the files of one dataset read as one ----

def by_pyarrow(files):
    schemas = {str([[f.name, str(f.type) + ("" if f.nullable else "!")] for f in pq.read_schema(f)]) for f in files}
    assert len(schemas) == 1, schemas
    table = pa.concat_tables(pq.ParquetFile(f).read() for f in files)
    return [[f.name, str(f.type) + ("" if f.nullable else "!")] for f in table.schema], of_table(table)


def named(reader, columns):
    return [[name, TYPES[reader].get(str(t), "?" + str(t))] for name, t in columns]


def by_duckdb(files):
    rel = duckdb.read_parquet(files, hive_partitioning=False)
    return named("duckdb", zip(rel.columns, rel.types)), digest(rel.to_arrow_reader(1 << 16))


def by_polars(files):
    frame = polars.scan_parquet(files, hive_partitioning=False)
    return named("polars", ((k, repr(v) if isinstance(v, polars.Datetime) else v) for k, v in frame.collect_schema().items())), \
        of_table(frame.collect().to_arrow())


def by_spark(spark):
    def read(files):
        frame = spark.read.parquet(*files)
        return named("spark", frame.dtypes), of_table(frame.toArrow())
    return read


def spark_session(work):
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    return (SparkSession.builder.master("local[2]").appName("readers")
            .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
            .config("spark.log.level", "ERROR").config("spark.driver.memory", "2g")
            .config("spark.driver.maxResultSize", "0").config("spark.sql.session.timeZone", "UTC")
            .config("spark.local.dir", work + "/spark").config("spark.sql.warehouse.dir", work + "/spark-warehouse").getOrCreate())


def by_parquet_go(work, datasets):
    """Runs readers_test.go on all datasets at once; gives its findings by dataset."""
    job, out = work + "/go-job.json", work + "/go-out.json"
    with open(job, "w") as f:
        json.dump({name: files for name, (files, _) in datasets.items()}, f)
    subprocess.run(["go", "test", "-tags=readers", "-count=1", "-run", "^TestReaders$", "."], check=True, cwd=os.path.dirname(os.path.abspath(__file__)),
                   stdout=sys.stderr, env=os.environ | {"MSS_READERS_JOB": job, "MSS_READERS_OUT": out})
    with open(out) as f:
        return json.load(f)


# ---- checks ----

def check_contents(work, datasets):
    go = by_parquet_go(work, datasets)
    spark = spark_session(work)
    readers = {f"DuckDB {duckdb.__version__}": by_duckdb, f"Polars {polars.__version__}": by_polars,
               f"Spark {pyspark.__version__}": by_spark(spark)}
    for name, (files, columns) in datasets.items():
        want = [c.split() for c in columns.split(", ")]
        schema, content = by_pyarrow(files)
        check(f"{name}, pyarrow {pa.__version__}", schema == want,
              f"{content[0]} rows, files: {len(files)}" if schema == want else f"schema {schema}")
        g = go[name]
        check(f"{name}, parquet-go", g["schema"] == want and g["content"] == content, f"{g['schema']} {g['content']} {content}"
              if g["schema"] != want or g["content"] != content else "")
        # The others show every column as nullable.
        want = [[n, t.rstrip("!")] for n, t in want]
        for reader, read in readers.items():
            try:
                s, c = read(files)
            except Exception as e:  # a reader that refuses a file is a finding, not the end
                check(f"{name}, {reader}", False, f"{type(e).__name__}: {str(e)[:400]}")
                continue
            check(f"{name}, {reader}", s == want and c == content,
                  f"schema {s}" if s != want else f"rows and sum {c}, pyarrow has {content}" if c != content else "")
    spark.stop()
    return go


def chunks(files):
    for f in files:
        m = pq.ParquetFile(f).metadata
        for g in range(m.num_row_groups):
            yield f, [m.row_group(g).column(c) for c in range(m.num_columns)]


def check_skipping(lakes, datasets, go):
    # mss writes no bounds for doubles (of the KPI) nor for a column with a very long text (which the edge lake has).
    files = [f for name, d in datasets.items() if not name.startswith("edge ") for f in d[0]]
    bare = [f"{f} {c.path_in_schema}" for f, cs in chunks(files) for c in cs
            if not c.has_offset_index or c.physical_type != "DOUBLE" and not c.has_column_index]
    check("column index and offset index of every column chunk but doubles", not bare, "; ".join(bare[:5]))
    # A chunk of NULLs alone has no smallest value.
    bare = [f"{f} {c.path_in_schema}" for f, cs in chunks(files) for c in cs
            if c.num_values and c.physical_type != "DOUBLE"
            and not (c.is_stats_set and (c.statistics.has_min_max or c.statistics.null_count == c.num_values))]
    check("min and max of every column chunk but doubles", not bare, "; ".join(bare[:5]))

    nulls = {c.path_in_schema: c.statistics.null_count for _, cs in chunks(datasets["big mss-transformed"][0]) for c in cs}
    check("unknown tracks and users among the plays", nulls["genre"] and nulls["created_at"],
          f"{nulls['genre']} and {nulls['created_at']} rows of the last row group")

    # By statistics: files of one day each, a filter on one of the days.
    files = sorted(glob.glob(lakes["edge"] + "/curated/mss-transformed/days/*.parquet"))
    lo, hi = datetime(2024, 6, 2), datetime(2024, 6, 3)
    time = [[c for c in cs if c.path_in_schema == "listen_time"][0].statistics for _, cs in chunks(files)]
    cover = [s for s in time if s.max >= lo and s.min < hi]
    got = pq.read_table(files, filters=[("listen_time", ">=", lo), ("listen_time", "<", hi)]).num_rows
    check("listen_time of one day of three", len(cover) == 1 and len(time) == 3 and got == 24,
          f"{len(cover)} of {len(time)} row groups, {got} rows")

    # By page index: the rows of one genre, of which parquet-go read only the pages that may have them.
    name, genre = "big mss-transformed", "pop"
    f = datasets[name][0][0]
    want = pq.read_table(f, columns=["genre"], filters=[("genre", "=", genre)]).num_rows
    p = go[name]["pages"]
    check("several row groups and many pages in one file", pq.ParquetFile(f).num_row_groups > 1 and p["pages"] > 20,
          f"{pq.ParquetFile(f).num_row_groups} row groups, {p['pages']} pages of genre")
    check(f"genre {genre} by parquet-go through the page index", p["found"] == want > 0 and p["covering"] * 10 <= p["pages"],
          f"{p['covering']} of {p['pages']} pages read, {p['found']} of {want} rows found")


def main():
    mss, work = (os.path.abspath(p) for p in sys.argv[1:])
    lakes = make_lakes(mss, work)
    datasets = {f"{lake} {name}": (sorted(glob.glob(f"{d}/{pattern}", recursive=True)), columns)
                for lake, d in lakes.items() for name, (pattern, columns) in DATASETS.items()}
    go = check_contents(work, datasets)
    check_skipping(lakes, datasets, go)
    print(f"{results[True]} passed, {results[False]} failed")
    return 1 if results[False] else 0


if __name__ == "__main__":
    sys.exit(main())

"""The three jobs in Spark, which stands for AWS Glue: an expert's SQL with the contract's meaning. Needs Java 17 and pyspark."""
import os

from pyspark.sql import SparkSession

from common import main

SONGS = """
WITH s AS (
  SELECT track_id, artists, track_name, try_cast(popularity AS BIGINT) AS popularity,
         try_cast(duration_ms AS BIGINT) AS duration_ms, track_genre AS genre
  FROM raw_songs),
one AS (
  SELECT *, row_number() OVER (PARTITION BY track_id, genre ORDER BY popularity DESC NULLS LAST, track_name ASC NULLS LAST,
             artists ASC NULLS LAST, duration_ms ASC NULLS LAST) AS r FROM s)
SELECT track_id, artists, track_name, popularity, duration_ms, genre,
       row_number() OVER (PARTITION BY track_id ORDER BY genre ASC NULLS LAST) = 1 AS is_primary
FROM one WHERE r = 1"""

USERS = """
SELECT user_id, min(created_at) AS created_at FROM (
  SELECT try_cast(user_id AS BIGINT) AS user_id, try_cast(created_at AS TIMESTAMP) AS created_at FROM raw_users)
GROUP BY user_id"""

INTEGRATE = """
SELECT p.user_id, p.track_id, p.listen_time, s.artists, s.track_name, s.popularity, s.duration_ms, s.genre,
       u.created_at, coalesce(s.is_primary, true) AS is_primary
FROM (SELECT try_cast(user_id AS BIGINT) AS user_id, track_id, try_cast(listen_time AS TIMESTAMP) AS listen_time
      FROM raw_streams) p
LEFT JOIN songs s ON p.track_id = s.track_id
LEFT JOIN users u ON p.user_id = u.user_id"""

# Plays are first folded to one row per song of a genre (cheap hash aggregate), then ranked.
KPI = """
WITH song_plays AS (
  SELECT genre, track_name, artists, popularity, count(*) AS n, sum(duration_ms) AS dsum, count(duration_ms) AS dn
  FROM plays GROUP BY genre, track_name, artists, popularity),
genre_kpi AS (
  SELECT genre, sum(n) AS listens, sum(dsum) / sum(dn) AS avg_duration,
         sum(popularity * n) / sum(CASE WHEN popularity IS NOT NULL THEN n END) AS avg_popularity,
         min_by(struct(track_name, artists),
                struct(popularity IS NULL, -popularity, track_name IS NULL, track_name, artists IS NULL, artists)) AS top
  FROM song_plays GROUP BY genre),
prim AS (SELECT hour(listen_time) AS h, user_id, track_id, artists FROM plays WHERE is_primary),
hour_kpi AS (
  SELECT h, count(DISTINCT user_id) AS listeners, count(DISTINCT track_id) / count(*) AS diversity
  FROM prim GROUP BY h),
hour_top AS (
  SELECT h, min_by(artists, struct(-n, artists)) AS artist
  FROM (SELECT h, artists, count(*) AS n FROM prim WHERE artists IS NOT NULL GROUP BY h, artists) GROUP BY h)
SELECT 'genre' AS kpi_type, genre AS group_by, CAST(listens AS BIGINT) AS genre_listen_count,
       CAST(avg_duration AS DOUBLE) AS genre_avg_duration, CAST(avg_popularity AS DOUBLE) AS genre_popularity_index,
       top.track_name AS top_track, top.artists AS top_artist
FROM genre_kpi
UNION ALL
SELECT 'hourly', CAST(m.h AS STRING), m.listeners, m.diversity, CAST(NULL AS DOUBLE), CAST(NULL AS STRING), t.artist
FROM hour_kpi m LEFT JOIN hour_top t ON m.h <=> t.h"""


def session(a):
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    return (SparkSession.builder.master(f"local[{a.threads}]").appName("bench-peers")
            .config("spark.driver.memory", "4g").config("spark.ui.enabled", "false").config("spark.log.level", "ERROR")
            .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.session.timeZone", "UTC").config("spark.sql.ansi.enabled", "false")
            .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS").config("spark.sql.shuffle.partitions", "8")
            .config("spark.local.dir", a.out + "/tmp").config("spark.sql.warehouse.dir", a.out + "/tmp").getOrCreate())


def job(fn):
    """Runs fn(spark, a), then ends the JVM and waits for it: only then its CPU time and memory count as this process's."""
    def run(a):
        spark = session(a)
        gateway = spark.sparkContext._gateway
        rows = fn(spark, a)
        spark.stop()
        gateway.proc.stdin.close()
        gateway.proc.wait()
        return rows
    return run


def view(spark, path, name, multiline=False):
    spark.read.csv(path, header=True, quote='"', escape='"', multiLine=multiline).createOrReplaceTempView(name)


def metadata(spark, a):
    view(spark, f"{a.raw}/metadata/songs.csv", "raw_songs", multiline=True)
    view(spark, f"{a.raw}/metadata/users.csv", "raw_users")
    spark.sql(SONGS).write.mode("overwrite").parquet(f"{a.out}/songs")
    spark.sql(USERS).write.mode("overwrite").parquet(f"{a.out}/users")


def integrate(spark, a):
    view(spark, f"{a.raw}/streams", "raw_streams")
    spark.read.parquet(f"{a.out}/songs").createOrReplaceTempView("songs")
    spark.read.parquet(f"{a.out}/users").createOrReplaceTempView("users")
    spark.sql(INTEGRATE).write.mode("overwrite").parquet(f"{a.out}/integrated")


def kpi(spark, a):
    spark.read.parquet(f"{a.out}/integrated").createOrReplaceTempView("plays")
    frame = spark.sql(KPI)
    rows = frame.collect()  # a few hundred rows: computed once
    spark.createDataFrame(rows, frame.schema).coalesce(1).write.mode("overwrite").partitionBy("kpi_type").parquet(f"{a.out}/kpi")
    return rows


if __name__ == "__main__":
    main(metadata=job(metadata), integrate=job(integrate), kpi=job(kpi))

"""The three jobs in DuckDB.

Two plans for the join, because the planner takes a CSV source for a few hundred rows and so makes the plays the
build side: --variant probe forbids the swap: plays stream past the two small hash tables, little
memory, larger output. --variant planner keeps the planner's choice: the plays are held in memory and come out
clustered by track, so the Parquet files are a third of the size, and the job takes longer.
"""
import duckdb

from common import fresh, main

# With columns given DuckDB binds them by position.
SONG_COLUMNS = ["row_no", "track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit", "danceability",
                "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness", "valence",
                "tempo", "time_signature", "track_genre"]
SNAPPY = "FORMAT parquet, COMPRESSION snappy"
CSV = "header=true, delim=',', quote='\"', escape='\"', auto_detect=false"


def connect(a):
    con = duckdb.connect()
    con.execute(f"SET threads={a.threads}; SET preserve_insertion_order=false; SET temp_directory='{a.out}/tmp'")
    return con


def metadata(a):
    con = connect(a)
    types = {"popularity": "BIGINT", "duration_ms": "BIGINT"}
    cols = ", ".join(f"'{c}': '{types.get(c, 'VARCHAR')}'" for c in SONG_COLUMNS)
    con.execute(f"""COPY (
      SELECT *, row_number() OVER (PARTITION BY track_id ORDER BY genre, popularity DESC, track_name, artists, duration_ms) = 1 AS is_primary
      FROM (SELECT track_id, artists, track_name, popularity, duration_ms, track_genre AS genre
            FROM read_csv('{a.raw}/metadata/songs.csv', columns={{{cols}}}, {CSV})
            QUALIFY row_number() OVER (PARTITION BY track_id, track_genre ORDER BY popularity DESC NULLS LAST, track_name, artists, duration_ms) = 1)
      ) TO '{fresh(a.out, 'songs')}/songs.parquet' ({SNAPPY})""")
    con.execute(f"""COPY (
      SELECT user_id, created_at FROM read_csv('{a.raw}/metadata/users.csv', {CSV}, columns={{'user_id': 'BIGINT',
        'user_name': 'VARCHAR', 'user_age': 'VARCHAR', 'user_country': 'VARCHAR', 'created_at': 'TIMESTAMP'}})
      ) TO '{fresh(a.out, 'users')}/users.parquet' ({SNAPPY})""")


def integrate(a):
    con = connect(a)
    if a.variant != "planner":
        con.execute("SET disabled_optimizers='build_side_probe_side'")
    con.execute(f"""COPY (
      SELECT s.user_id, s.track_id, s.listen_time, g.artists, g.track_name, g.popularity, g.duration_ms, g.genre,
             u.created_at, coalesce(g.is_primary, true) AS is_primary
      FROM read_csv('{a.raw}/streams/*.csv', {CSV},
                    columns={{'user_id': 'BIGINT', 'track_id': 'VARCHAR', 'listen_time': 'TIMESTAMP'}}) s
      LEFT JOIN '{a.out}/songs/*.parquet' g USING (track_id)
      LEFT JOIN '{a.out}/users/*.parquet' u USING (user_id)
      ) TO '{fresh(a.out, 'integrated')}/part.parquet' ({SNAPPY})""")


def kpi(a):
    con = connect(a)
    i = f"'{a.out}/integrated/*.parquet'"
    # Genre: a narrow pass for the numbers, then only the rows with the genre's highest popularity.
    # Hourly: plays per (hour, track) carry the track count, the play count and the plays per artist.
    con.execute(f"""CREATE TEMP TABLE kpi AS
      WITH g AS MATERIALIZED (
        SELECT genre, count(*) AS n, avg(duration_ms) AS d, avg(popularity) AS p, max(popularity) AS best
        FROM {i} GROUP BY genre),
      top AS (
        SELECT i.genre, min(struct_pack(t := track_name, a := artists)) AS s
        FROM {i} i JOIN g ON i.genre = g.genre AND i.popularity = g.best GROUP BY i.genre),
      ht AS MATERIALIZED (
        SELECT hour(listen_time)::UTINYINT AS h, track_id, any_value(artists) AS artists, count(*) AS c
        FROM {i} WHERE is_primary GROUP BY track_id, h),
      hu AS (SELECT h, count(*) AS users FROM
        (SELECT DISTINCT hour(listen_time)::UTINYINT AS h, user_id FROM {i} WHERE is_primary) GROUP BY h),
      tracks AS (SELECT h, count(*) / sum(c) AS ratio FROM ht GROUP BY h),
      artist AS (SELECT h, arg_min(artists, (-n, artists)) AS artists FROM
        (SELECT h, artists, sum(c)::BIGINT AS n FROM ht WHERE artists IS NOT NULL GROUP BY h, artists) GROUP BY h)
      SELECT 'genre' AS kpi_type, g.genre AS group_by, n AS genre_listen_count, d AS genre_avg_duration,
             p AS genre_popularity_index, s.t AS top_track, s.a AS top_artist
      FROM g LEFT JOIN top ON g.genre = top.genre
      UNION ALL
      SELECT 'hourly', hu.h::VARCHAR, users, ratio, NULL, NULL, artist.artists
      FROM hu JOIN tracks USING (h) LEFT JOIN artist USING (h)""")
    con.execute(f"COPY kpi TO '{fresh(a.out, 'kpi')}' ({SNAPPY}, PARTITION_BY (kpi_type), OVERWRITE_OR_IGNORE)")
    return con.execute("FROM kpi").fetchall()


if __name__ == "__main__":
    main(metadata=metadata, integrate=integrate, kpi=kpi)

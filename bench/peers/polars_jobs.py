"""The three jobs in Polars, on its streaming engine.

The song texts go through the join as categoricals: measured faster, and smaller, than strings (plain UTF-8 columns
for every other reader of the Parquet). Row groups of a million rows halve the output against the default.
"""
import os
import sys

os.environ["POLARS_MAX_THREADS"] = sys.argv[sys.argv.index("--threads") + 1] if "--threads" in sys.argv else "2"

import polars as pl  # noqa: E402  (the thread count is read at import)

from common import fresh, main  # noqa: E402

SNAPPY = {"compression": "snappy", "engine": "streaming"}


def metadata(a):
    with open(f"{a.raw}/metadata/songs.csv", encoding="utf-8") as f:      # by name; the first column is unnamed or "id"
        schema = {c: pl.String for c in f.readline().rstrip("\r\n").split(",")} | {"popularity": pl.Int64, "duration_ms": pl.Int64}
    order = ["genre", "popularity", "track_name", "artists", "duration_ms"]
    songs = (pl.scan_csv(f"{a.raw}/metadata/songs.csv", schema=schema)
             .select("track_id", "artists", "track_name", "popularity", "duration_ms", genre=pl.col("track_genre"))
             .sort(["track_id", *order], descending=[False, False, True, False, False, False], nulls_last=True)
             .unique(["track_id", "genre"], keep="first", maintain_order=True)
             .with_columns(is_primary=pl.col("track_id").is_first_distinct()))
    songs.sink_parquet(os.path.join(fresh(a.out, "songs"), "songs.parquet"), **SNAPPY)
    schema = {"user_id": pl.Int64, "user_name": pl.String, "user_age": pl.String, "user_country": pl.String, "created_at": pl.String}
    (pl.scan_csv(f"{a.raw}/metadata/users.csv", schema=schema)
     .select("user_id", pl.col("created_at").str.to_datetime("%Y-%m-%d", time_unit="us"))
     .sink_parquet(os.path.join(fresh(a.out, "users"), "users.parquet"), **SNAPPY))


def integrate(a):
    s = pl.scan_csv(f"{a.raw}/streams/*.csv", quote_char=None,
                    schema={"user_id": pl.Int64, "track_id": pl.String, "listen_time": pl.String})
    s = s.with_columns(pl.col("listen_time").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us"))
    g = pl.scan_parquet(f"{a.out}/songs/*.parquet").with_columns(pl.col("artists", "track_name", "genre").cast(pl.Categorical))
    u = pl.scan_parquet(f"{a.out}/users/*.parquet")
    (s.join(u, on="user_id", how="left", maintain_order="none")
     .join(g, on="track_id", how="left", maintain_order="none")
     .select("user_id", "track_id", "listen_time", "artists", "track_name", "popularity", "duration_ms", "genre",
             "created_at", pl.col("is_primary").fill_null(True))
     .sink_parquet(os.path.join(fresh(a.out, "integrated"), "part.parquet"), maintain_order=False, row_group_size=1_000_000,
                   **SNAPPY))


def kpi(a):
    i = pl.scan_parquet(f"{a.out}/integrated/*.parquet")
    g = i.group_by("genre").agg(n=pl.len(), d=pl.col("duration_ms").mean(), p=pl.col("popularity").mean(),
                                best=pl.col("popularity").max())
    h = i.filter("is_primary").with_columns(h=pl.col("listen_time").dt.hour())
    # Plays per (hour, track) carry the track count, the play count and the plays per artist.
    ht = h.group_by("h", "track_id").agg(c=pl.len(), artists=pl.col("artists").min())
    hu = h.group_by("h").agg(users=pl.col("user_id").n_unique())
    g, ht, hu = pl.collect_all([g, ht, hu], engine="streaming")
    text = pl.col(pl.Categorical).cast(pl.String)
    top = (i.select("genre", "popularity", "track_name", "artists")
           .join(g.lazy().select("genre", popularity="best"), on=["genre", "popularity"], how="semi")
           .unique().collect(engine="streaming").with_columns(text)
           .sort("genre", "track_name", "artists", nulls_last=True).unique("genre", keep="first", maintain_order=True))
    g, ht = g.with_columns(text), ht.with_columns(text)
    genre = g.join(top, on="genre", how="left").select(
        kpi_type=pl.lit("genre"), group_by="genre", genre_listen_count=pl.col("n").cast(pl.Int64), genre_avg_duration="d",
        genre_popularity_index="p", top_track="track_name", top_artist="artists")
    ratio = ht.group_by("h").agg(ratio=pl.len() / pl.col("c").sum())
    artist = (ht.filter(pl.col("artists").is_not_null()).group_by("h", "artists").agg(n=pl.col("c").sum())
              .filter(pl.col("n") == pl.col("n").max().over("h"))
              .group_by("h").agg(artists=pl.col("artists").min()))
    hourly = hu.join(ratio, on="h").join(artist, on="h", how="left").select(
        kpi_type=pl.lit("hourly"), group_by=pl.col("h").cast(pl.String), genre_listen_count=pl.col("users").cast(pl.Int64),
        genre_avg_duration="ratio", genre_popularity_index=pl.lit(None, pl.Float64), top_track=pl.lit(None, pl.String),
        top_artist="artists")
    out = pl.concat([genre, hourly])
    fresh(a.out, "kpi")
    for (t,), part in out.partition_by("kpi_type", as_dict=True).items():
        part.drop("kpi_type").write_parquet(os.path.join(fresh(a.out, "kpi", f"kpi_type={t}"), "part.parquet"), compression="snappy")
    return out.rows()


if __name__ == "__main__":
    main(metadata=metadata, integrate=integrate, kpi=kpi)

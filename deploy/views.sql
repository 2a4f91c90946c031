-- The KPIs under honest names: kpi_table holds hours in columns that are named after genres. For Redshift, PostgreSQL
-- and SQLite; run it as the owner of kpi_table, with public in the search path.

DROP VIEW IF EXISTS genre_kpis;
CREATE VIEW genre_kpis AS
SELECT
    group_by AS genre,
    genre_listen_count AS plays,
    genre_avg_duration AS avg_duration_ms,
    genre_popularity_index AS popularity_index,
    top_track,
    top_artist
FROM kpi_table
WHERE kpi_type = 'genre';

-- The cast is guarded: a condition on hour may be tried on rows of genres first.
DROP VIEW IF EXISTS hourly_kpis;
CREATE VIEW hourly_kpis AS
SELECT
    CASE WHEN kpi_type = 'hourly' THEN CAST(group_by AS INTEGER) END AS hour,
    genre_listen_count AS unique_listeners,
    genre_avg_duration AS diversity_index,
    top_artist
FROM kpi_table
WHERE kpi_type = 'hourly';

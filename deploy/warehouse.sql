-- The tables of mss, which creates them itself where it may. For Redshift, PostgreSQL and, without "public.", SQLite.

-- The KPIs, one row for each key (kpi_type, group_by).
CREATE TABLE IF NOT EXISTS public.kpi_table (
    kpi_type VARCHAR(20),                    -- 'genre' or 'hourly'
    group_by VARCHAR(100),                   -- genre, or hour 0 to 23
    genre_listen_count BIGINT,               -- plays, or distinct listeners
    genre_avg_duration DOUBLE PRECISION,     -- milliseconds, or distinct tracks per play
    genre_popularity_index DOUBLE PRECISION, -- 0 to 100; NULL for hours
    top_track VARCHAR(255),                  -- NULL for hours
    top_artist VARCHAR(255)
);

-- Where a load puts its rows before it replaces those of kpi_table; empty between loads.
CREATE TABLE IF NOT EXISTS public.kpi_staging (
    kpi_type VARCHAR(20),
    group_by VARCHAR(100),
    genre_listen_count BIGINT,
    genre_avg_duration DOUBLE PRECISION,
    genre_popularity_index DOUBLE PRECISION,
    top_track VARCHAR(255),
    top_artist VARCHAR(255)
);

-- Who loaded last: a run that was taken over by another finds a greater token than its own, and is refused.
CREATE TABLE IF NOT EXISTS public.mss_fence (
    lake VARCHAR(64), -- names the lake, one row for each
    token BIGINT,
    run VARCHAR(64),
    loads BIGINT      -- how many there were
);

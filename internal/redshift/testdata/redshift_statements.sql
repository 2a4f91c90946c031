-- Open, the tables are absent
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('kpi_table', 'kpi_staging', 'mss_fence');
BEGIN;
CREATE TABLE IF NOT EXISTS public.kpi_table (
    kpi_type VARCHAR(20),
    group_by VARCHAR(100),
    genre_listen_count BIGINT,
    genre_avg_duration DOUBLE PRECISION,
    genre_popularity_index DOUBLE PRECISION,
    top_track VARCHAR(255),
    top_artist VARCHAR(255)
);
CREATE TABLE IF NOT EXISTS public.kpi_staging (
    kpi_type VARCHAR(20),
    group_by VARCHAR(100),
    genre_listen_count BIGINT,
    genre_avg_duration DOUBLE PRECISION,
    genre_popularity_index DOUBLE PRECISION,
    top_track VARCHAR(255),
    top_artist VARCHAR(255)
);
CREATE TABLE IF NOT EXISTS public.mss_fence (
    lake VARCHAR(64),
    token BIGINT,
    run VARCHAR(64),
    loads BIGINT
);
COMMIT;

-- Open, the tables are there
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('kpi_table', 'kpi_staging', 'mss_fence');

-- Load, two rows
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
BEGIN;
LOCK TABLE public.kpi_staging;
DELETE FROM public.kpi_staging;
INSERT INTO public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) VALUES ($1, $2, CAST($3 AS BIGINT), CAST($4 AS DOUBLE PRECISION), CAST($5 AS DOUBLE PRECISION), $6, $7), ($8, $9, CAST($10 AS BIGINT), CAST($11 AS DOUBLE PRECISION), CAST($12 AS DOUBLE PRECISION), $13, $14);
SELECT COUNT(*) FROM public.kpi_staging;
DELETE FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
INSERT INTO public.kpi_table (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_staging;
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
DELETE FROM public.kpi_staging;
COMMIT;

-- Load, nothing differs
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');

-- Load, always, keeping stale keys
BEGIN;
LOCK TABLE public.kpi_staging;
DELETE FROM public.kpi_staging;
INSERT INTO public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) VALUES ($1, $2, CAST($3 AS BIGINT), CAST($4 AS DOUBLE PRECISION), CAST($5 AS DOUBLE PRECISION), $6, $7);
SELECT COUNT(*) FROM public.kpi_staging;
DELETE FROM public.kpi_table WHERE kpi_type = 'genre' AND group_by IN (SELECT group_by FROM public.kpi_staging WHERE kpi_type = 'genre');
DELETE FROM public.kpi_table WHERE kpi_type = 'hourly' AND group_by IN (SELECT group_by FROM public.kpi_staging WHERE kpi_type = 'hourly');
DELETE FROM public.kpi_table WHERE group_by IS NULL AND kpi_type IN (SELECT kpi_type FROM public.kpi_staging WHERE group_by IS NULL);
INSERT INTO public.kpi_table (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_staging;
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
DELETE FROM public.kpi_staging;
COMMIT;

-- Load, fenced
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
BEGIN;
LOCK TABLE public.kpi_staging;
SELECT lake, token, run, loads FROM public.mss_fence;
DELETE FROM public.mss_fence WHERE lake = $1;
INSERT INTO public.mss_fence (lake, token, run, loads) VALUES ($1, $2, $3, $4);
DELETE FROM public.kpi_staging;
INSERT INTO public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) VALUES ($1, $2, CAST($3 AS BIGINT), CAST($4 AS DOUBLE PRECISION), CAST($5 AS DOUBLE PRECISION), $6, $7);
SELECT COUNT(*) FROM public.kpi_staging;
DELETE FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
INSERT INTO public.kpi_table (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_staging;
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
DELETE FROM public.kpi_staging;
COMMIT;

-- Load, fenced, nothing differs
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
SELECT lake, token, run, loads FROM public.mss_fence;

-- Load, fenced, nothing differs, the fence is raised
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
SELECT lake, token, run, loads FROM public.mss_fence;
BEGIN;
LOCK TABLE public.kpi_staging;
SELECT lake, token, run, loads FROM public.mss_fence;
DELETE FROM public.mss_fence WHERE lake = $1;
INSERT INTO public.mss_fence (lake, token, run, loads) VALUES ($1, $2, $3, $4);
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
COMMIT;

-- Rows
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');

-- Compare, for a plan
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('kpi_table', 'kpi_staging', 'mss_fence');
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');

-- Grants, for the doctor
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('kpi_table', 'kpi_staging', 'mss_fence');
SELECT has_schema_privilege('public', 'USAGE');
SELECT has_table_privilege('public.kpi_table', 'SELECT');
SELECT has_table_privilege('public.kpi_table', 'INSERT');
SELECT has_table_privilege('public.kpi_table', 'DELETE');
SELECT has_table_privilege('public.kpi_staging', 'SELECT');
SELECT has_table_privilege('public.kpi_staging', 'INSERT');
SELECT has_table_privilege('public.kpi_staging', 'DELETE');
SELECT has_table_privilege('public.mss_fence', 'SELECT');
SELECT has_table_privilege('public.mss_fence', 'INSERT');
SELECT has_table_privilege('public.mss_fence', 'DELETE');

-- Rehearse, for the doctor
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('kpi_table', 'kpi_staging', 'mss_fence');
BEGIN;
LOCK TABLE public.kpi_staging;
DELETE FROM public.kpi_staging;
SELECT lake, token, run, loads FROM public.mss_fence;
DELETE FROM public.mss_fence WHERE lake = $1;
INSERT INTO public.mss_fence (lake, token, run, loads) VALUES ($1, $2, $3, $4);
INSERT INTO public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) VALUES ($1, $2, CAST($3 AS BIGINT), CAST($4 AS DOUBLE PRECISION), CAST($5 AS DOUBLE PRECISION), $6, $7);
SELECT COUNT(*) FROM public.kpi_staging;
DELETE FROM public.kpi_table WHERE kpi_type = 'genre' AND group_by IN (SELECT group_by FROM public.kpi_staging WHERE kpi_type = 'genre');
DELETE FROM public.kpi_table WHERE kpi_type = 'hourly' AND group_by IN (SELECT group_by FROM public.kpi_staging WHERE kpi_type = 'hourly');
DELETE FROM public.kpi_table WHERE group_by IS NULL AND kpi_type IN (SELECT kpi_type FROM public.kpi_staging WHERE group_by IS NULL);
INSERT INTO public.kpi_table (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_staging;
DELETE FROM public.kpi_staging;
ROLLBACK;

-- Query, genres
BEGIN READ ONLY;
SELECT
    group_by as genre,
    genre_listen_count,
    genre_popularity_index,
    top_artist
FROM public.kpi_table
WHERE kpi_type = 'genre'
ORDER BY genre_listen_count DESC NULLS LAST, group_by NULLS LAST;
ROLLBACK;

-- Query, hours
BEGIN READ ONLY;
SELECT
    group_by as hour,
    genre_listen_count as unique_listeners,
    genre_avg_duration as diversity_index
FROM public.kpi_table
WHERE kpi_type = 'hourly'
ORDER BY unique_listeners DESC NULLS LAST, LENGTH(group_by) NULLS LAST, group_by;
ROLLBACK;

-- Connect
SET statement_timeout TO 900000;

-- Load, another one holds the lock and stands still
BEGIN;
LOCK TABLE public.kpi_staging;
SET statement_timeout TO 900000;
SELECT DISTINCT l.pid, l.mode
FROM pg_locks l
JOIN pg_database d ON d.oid = l.database
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.datname = current_database() AND n.nspname = 'public' AND c.relname = 'kpi_staging' AND l.granted
ORDER BY l.pid, l.mode;
SELECT CAST(query_id AS VARCHAR), CASE WHEN RTRIM(status) IN ('success', 'failed', 'canceled') THEN 1 ELSE 0 END
FROM sys_query_history WHERE session_id = SESSION ORDER BY start_time DESC, query_id DESC LIMIT 1;
SELECT DISTINCT l.pid, l.mode
FROM pg_locks l
JOIN pg_database d ON d.oid = l.database
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.datname = current_database() AND n.nspname = 'public' AND c.relname = 'kpi_staging' AND l.granted
ORDER BY l.pid, l.mode;
SELECT CAST(query_id AS VARCHAR), CASE WHEN RTRIM(status) IN ('success', 'failed', 'canceled') THEN 1 ELSE 0 END
FROM sys_query_history WHERE session_id = SESSION ORDER BY start_time DESC, query_id DESC LIMIT 1;
SELECT pg_terminate_backend(SESSION);
DELETE FROM public.kpi_staging;
INSERT INTO public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) VALUES ($1, $2, CAST($3 AS BIGINT), CAST($4 AS DOUBLE PRECISION), CAST($5 AS DOUBLE PRECISION), $6, $7);
SELECT COUNT(*) FROM public.kpi_staging;
DELETE FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
INSERT INTO public.kpi_table (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_staging;
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
DELETE FROM public.kpi_staging;
COMMIT;

-- Load by COPY, by the default role
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
BEGIN;
LOCK TABLE public.kpi_staging;
SELECT lake, token, run, loads FROM public.mss_fence;
DELETE FROM public.mss_fence WHERE lake = $1;
INSERT INTO public.mss_fence (lake, token, run, loads) VALUES ($1, $2, $3, $4);
DELETE FROM public.kpi_staging;
COPY public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) FROM 's3://lab1-temp/redshift-tmp/run1/' IAM_ROLE default FORMAT AS PARQUET;
SELECT COUNT(*) FROM public.kpi_staging;
DELETE FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
INSERT INTO public.kpi_table (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_staging;
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
DELETE FROM public.kpi_staging;
COMMIT;

-- Rehearse by COPY, for the doctor
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('kpi_table', 'kpi_staging', 'mss_fence');
BEGIN;
LOCK TABLE public.kpi_staging;
DELETE FROM public.kpi_staging;
SELECT lake, token, run, loads FROM public.mss_fence;
DELETE FROM public.mss_fence WHERE lake = $1;
INSERT INTO public.mss_fence (lake, token, run, loads) VALUES ($1, $2, $3, $4);
COPY public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) FROM 's3://lab1-temp/redshift-tmp/load-RANDOM/' IAM_ROLE default FORMAT AS PARQUET;
SELECT COUNT(*) FROM public.kpi_staging;
DELETE FROM public.kpi_table WHERE kpi_type = 'genre' AND group_by IN (SELECT group_by FROM public.kpi_staging WHERE kpi_type = 'genre');
DELETE FROM public.kpi_table WHERE kpi_type = 'hourly' AND group_by IN (SELECT group_by FROM public.kpi_staging WHERE kpi_type = 'hourly');
DELETE FROM public.kpi_table WHERE group_by IS NULL AND kpi_type IN (SELECT kpi_type FROM public.kpi_staging WHERE group_by IS NULL);
INSERT INTO public.kpi_table (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_staging;
DELETE FROM public.kpi_staging;
ROLLBACK;

-- Load by COPY, by a role, which fails
SELECT kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist FROM public.kpi_table WHERE kpi_type IN ('genre', 'hourly');
BEGIN;
LOCK TABLE public.kpi_staging;
SELECT lake, token, run, loads FROM public.mss_fence;
DELETE FROM public.mss_fence WHERE lake = $1;
INSERT INTO public.mss_fence (lake, token, run, loads) VALUES ($1, $2, $3, $4);
DELETE FROM public.kpi_staging;
COPY public.kpi_staging (kpi_type, group_by, genre_listen_count, genre_avg_duration, genre_popularity_index, top_track, top_artist) FROM 's3://lab1-temp/redshift-tmp/run2/' IAM_ROLE 'arn:aws:iam::123456789012:role/redshift-copy' FORMAT AS PARQUET;
ROLLBACK;
SELECT file_name, column_name, error_code, error_message FROM sys_load_error_detail WHERE file_name LIKE '%/redshift-tmp/run2/kpi.parquet%' ORDER BY start_time DESC LIMIT 1;
SELECT filename, colname, err_code, err_reason FROM stl_load_errors WHERE filename LIKE '%/redshift-tmp/run2/kpi.parquet%' ORDER BY starttime DESC LIMIT 1;


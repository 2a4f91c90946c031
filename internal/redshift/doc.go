// Package redshift is the warehouse: it loads the KPI rows into public.kpi_table and answers queries on it. It speaks
// to Amazon Redshift, PostgreSQL and, embedded, SQLite; the SQL is the same text wherever it can be.
//
// A load compares first and, where kpi_table differs, replaces its genre and hourly rows in one transaction:
//
//  1. lock public.kpi_staging, so that loads wait for each other (SQLite: BEGIN IMMEDIATE); readers of kpi_table do not wait
//  2. read public.mss_fence: a later run of the lake that has loaded refuses this one; else put our token up
//  3. empty staging, fill it (INSERT, or COPY of a Parquet object on S3), count it
//  4. delete from kpi_table what the load replaces, insert from staging, check the keys
//  5. empty staging, commit; of a commit without a reply, find out under the lock whether it took place
//
// Redshift decides the vocabulary: it has no ON CONFLICT, RETURNING, IS DISTINCT FROM, SAVEPOINT or COPY FROM STDIN,
// its TRUNCATE commits, and its VARCHAR counts bytes. So none of these is used anywhere, texts are cut to bytes for all
// dialects alike, and NULL keys are matched by IS NULL.
//
// A login is the URL's, or comes from AWS (package identity), anew for each connection.
// No error, log line or MaskURL result holds a password.
package redshift

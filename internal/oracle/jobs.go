package oracle

const create = `
CREATE TABLE raw_songs (track_id TEXT, artists TEXT, track_name TEXT, popularity INTEGER, duration_ms INTEGER, genre TEXT);
CREATE TABLE raw_users (user_id INTEGER, created_at INTEGER);
CREATE TABLE plays (id INTEGER PRIMARY KEY, user_id INTEGER, track_id TEXT, listen_time INTEGER, source TEXT);
`

// songs: one row for each (track_id, genre), of which NULL is one. Its parameter is true for glue,
// where all rows stay; then the primary one is the first by genre, then by the rules that
// collapse. Texts compare by bytes, as SQLite does by itself.
const songs = `
CREATE TABLE songs AS
SELECT track_id, artists, track_name, popularity, duration_ms, genre,
       row_number() OVER (PARTITION BY track_id ORDER BY genre NULLS LAST, rank) = 1 AS is_primary
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY track_id, genre
        ORDER BY popularity DESC NULLS LAST, track_name NULLS LAST, artists NULLS LAST, duration_ms NULLS LAST
    ) AS rank
    FROM raw_songs
)
WHERE rank = 1 OR ?`

const users = `
CREATE TABLE users AS
SELECT user_id, created_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY created_at NULLS LAST) AS rank
    FROM raw_users
)
WHERE rank = 1 OR ?`

// transformed: in the corrected semantics a play meets one song row a genre and at most one user
// row, so that all but the genre is idle in its order.
const transformed = `
CREATE TABLE transformed AS
SELECT p.source, p.user_id, p.track_id, p.listen_time,
       s.artists, s.track_name, s.popularity, s.duration_ms, s.genre, u.created_at,
       row_number() OVER (
           PARTITION BY p.id
           ORDER BY s.genre NULLS LAST, s.popularity DESC NULLS LAST, s.track_name NULLS LAST,
                    s.artists NULLS LAST, s.duration_ms NULLS LAST, u.created_at NULLS LAST
       ) = 1 AS is_primary
FROM plays p
LEFT JOIN songs s ON s.track_id = p.track_id
LEFT JOIN users u ON u.user_id = p.user_id`

// genreFigures gives sums in two halves, which SQLite adds without overflow.
const genreFigures = `
SELECT genre, count(*),
       count(duration_ms), sum(duration_ms >> 32), sum(duration_ms & 4294967295),
       count(popularity), sum(popularity >> 32), sum(popularity & 4294967295)
FROM transformed
GROUP BY genre
ORDER BY genre NULLS LAST`

const genreTop = `
SELECT track_name, artists
FROM transformed
WHERE genre IS ?
ORDER BY popularity DESC NULLS LAST, track_name NULLS LAST, artists NULLS LAST
LIMIT 1`

// hourly: the plays with their hour, which for times before 1970 wants a floor.
const hourly = `
CREATE TABLE hourly AS
SELECT ((listen_time % 86400000000) + 86400000000) % 86400000000 / 3600000000 AS hour, user_id, track_id, artists
FROM transformed
WHERE is_primary OR ?`

const hourFigures = `
SELECT hour, count(DISTINCT user_id), count(DISTINCT track_id), count(*)
FROM hourly
GROUP BY hour
ORDER BY hour`

const hourTop = `
SELECT artists
FROM hourly
WHERE hour = ? AND (artists IS NOT NULL OR ?)
GROUP BY artists
ORDER BY count(*) DESC, artists NULLS LAST
LIMIT 1`

// Package rstest gives tests a warehouse that behaves as Amazon Redshift does where that differs from PostgreSQL: a real
// PostgreSQL behind a proxy that speaks the wire protocol. It also breaks connections and makes conflicts on demand.
//
// What is known of Redshift is documented by AWS or was reported by others; nothing here was tried on a real one. These
// behaviours are therefore proved only against this proxy:
//
//   - login: it reports server_version 8.0.2 and padb_version, and no standard_conforming_strings, which cannot be set
//   - grammar: no COPY FROM STDIN, ON CONFLICT, RETURNING, IS DISTINCT FROM, SAVEPOINT, FOR UPDATE, E” texts, VALUES as a table,
//     WITH ahead of INSERT, alias behind DELETE FROM, mode behind LOCK; MERGE in Redshift's only form; none of the types that
//     Redshift lacks; the SQLSTATEs of these errors are guesses but for 42601 of RETURNING
//   - a backslash escapes in every text; VARCHAR counts bytes, and a text too long is XX000 with code 8001
//   - transactions: snapshot isolation, whose conflicts are XX000 with message 1023; TRUNCATE commits
//   - protocol: named statements are gone after DDL and ROLLBACK; several statements in one prepared text, more than 32,767
//     parameters and texts over 16 MB are refused; SELECT and COPY tags have no count; binary results are not spoken at all
//   - COPY of Parquet from S3: by the simple protocol only, by position, all objects under a prefix, within the transaction, with
//     exact pairs of types; its errors are XX000 "Spectrum Scan Error" with the words in the detail, and are kept in
//     SYS_LOAD_ERROR_DETAIL, past the rollback. That Spectrum's errors turn up in that view is an assumption
//
// Not acted out: names that fold to lower case in quotes, NUMERIC in a binary form of its own, constraints that are not enforced,
// IAM and regions (a role is only looked at), the resume of an idle workgroup.
package rstest

// Package catalog describes the tables of the lake for a data catalog, so that query engines (Athena, Spectrum, Spark)
// find them: where their objects lie, which columns they have, how many rows and bytes there are.
//
// The description comes from the schema and from the lake's snapshots alone; no data object is read. Sync hands it to a
// Catalog, which package glue is one of.
package catalog

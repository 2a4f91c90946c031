// Package e2e runs the whole program in process, on folders and on real servers, and compares what it
// leaves with package oracle, cell by cell. It holds tests alone.
package e2e

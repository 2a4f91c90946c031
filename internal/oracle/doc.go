// Package oracle computes what mss must compute, slowly and from the words of docs/contract.md
// alone: a CSV reader that goes byte by byte, the three jobs as plain SQL on SQLite, and seeded
// raw lakes full of hazards. Only tests import it, and it shares no rule with the real code:
// where both agree, two readings of the contract agree.
package oracle

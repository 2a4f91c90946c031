package redshift

import "fmt"

// sameRecords compares as multisets. With keepStale, rows of keys that want does not have count for nothing.
func sameRecords(have, want []record, keepStale bool) bool {
	left := make(map[record]int, len(want))
	wanted := make(map[key]bool, len(want))
	for _, r := range want {
		left[r]++
		wanted[r.key()] = true
	}
	for _, r := range have {
		if keepStale && !wanted[r.key()] {
			continue
		}
		if left[r] == 0 {
			return false
		}
		if left[r]--; left[r] == 0 {
			delete(left, r)
		}
	}
	return len(left) == 0
}

// checkKeys tells whether the load left each key of want once and, unless keepStale, no other.
func checkKeys(have, want []record, keepStale bool) error {
	times := make(map[key]int, len(have))
	for _, r := range have {
		times[r.key()]++
	}
	for _, r := range want {
		if n := times[r.key()]; n != 1 {
			return fmt.Errorf("public.kpi_table holds row %s %d times after the insert; nothing was changed", r.key(), n)
		}
	}
	if !keepStale && len(have) != len(want) {
		return fmt.Errorf("public.kpi_table holds %d rows after %d were inserted; nothing was changed", len(have), len(want))
	}
	return nil
}

package heap

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// TestPreparedMemoryIsUsed holds a habit of Go's runtime that prepare relies on.
func TestPreparedMemoryIsUsed(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("this kernel has no huge pages to ask for")
	}
	prepare(64 << 20)
	for _, size := range []int{4 << 20, 16 << 20, 32 << 20} {
		b := make([]byte, size)
		b[size/2] = 1
		if flags := flagsAt(t, uintptr(unsafe.Pointer(&b[size/2]))); !strings.Contains(flags, " hg") {
			t.Errorf("an allocation of %d bytes lies where no huge pages were asked for: %s", size, flags)
		}
	}
}

// flagsAt gives the kernel's flags of the memory at an address.
func flagsAt(t *testing.T, at uintptr) string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	here := false
	for s := bufio.NewScanner(f); s.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x ", &from, &to); n == 2 {
			here = from <= at && at < to
		}
		if here && strings.HasPrefix(s.Text(), "VmFlags:") {
			return s.Text()
		}
	}
	t.Fatalf("no mapping holds %x", at)
	return ""
}

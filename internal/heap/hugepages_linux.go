package heap

import (
	"bytes"
	"os"
	"runtime"
	"syscall"
)

// advisable says whether the kernel gives huge pages to those who ask, and to nobody else.
func advisable() bool {
	mode, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	return err == nil && bytes.Contains(mode, []byte("[madvise]"))
}

// prepare asks for huge pages for size bytes of memory, and gives these to the heap: memory that was allocated and is free again is what the
// runtime takes before it grows the heap, and what the kernel was told of it stays. It is an advice: no result depends on it, and no page
// is taken before something is written there.
func prepare(size int) {
	space := make([]byte, size)
	// The kernel takes whole pages only; large allocations begin at one.
	_ = syscall.Madvise(space, syscall.MADV_HUGEPAGE)
	runtime.KeepAlive(space)
	runtime.GC()
}

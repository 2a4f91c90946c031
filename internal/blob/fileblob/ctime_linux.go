package fileblob

import "syscall"

// changed is when a file's inode was changed last, in nanoseconds: unlike the time of modification nobody can set it.
func changed(st *syscall.Stat_t) int64 { return syscall.TimespecToNsec(st.Ctim) }

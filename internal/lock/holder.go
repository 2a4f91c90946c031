package lock

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Holder says which process of which machine holds a lock.
type Holder struct {
	Run  string `json:"run"`
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Machine is the boot of the kernel and its namespace of processes, in which PID means something; "" when unknown.
	Machine string `json:"machine,omitempty"`
	// Start is when the process began, in ticks of that kernel: a PID is given out again.
	Start string `json:"start,omitempty"`
}

// Self is this process, on behalf of a run.
func Self(run string) Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	h := Holder{Run: run, Host: host, PID: os.Getpid(), Machine: machine()}
	h.Start, _ = started(h.PID)
	return h
}

// Gone says whether the holder is known to run no more: it was a process of this machine, and there is no such process now.
func (h Holder) Gone() bool {
	if h.Machine == "" || h.Start == "" || h.Machine != machine() {
		return false
	}
	// Where /proc hides the processes of other users, a signal still finds them.
	if _, err := os.ReadFile(statOf(h.PID)); err != nil {
		return errors.Is(syscall.Kill(h.PID, 0), syscall.ESRCH)
	}
	start, ok := started(h.PID)
	return !ok || start != h.Start
}

func statOf(pid int) string { return "/proc/" + strconv.Itoa(pid) + "/stat" }

func (h Holder) String() string {
	return fmt.Sprintf("run %s on host %s, pid %d", h.Run, h.Host, h.PID)
}

// machine names the running kernel and the namespace of process ids.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, lerr := os.Readlink("/proc/self/ns/pid")
	if err != nil || lerr != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// started is when a process began; it is not ok when there is none.
func started(pid int) (ticks string, ok bool) {
	stat, err := os.ReadFile(statOf(pid))
	if err != nil {
		return "", false
	}
	// The second field, in parentheses, is the program's name, and may hold anything.
	rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" { // a zombie runs no more
		return "", false
	}
	return fields[19], true
}

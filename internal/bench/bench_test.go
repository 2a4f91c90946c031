// Package bench times the three jobs end to end, each as a process of its own, on generated plays.
//
//	make bench BENCH=Job          # 1 M and 10 M plays
//	make bench BENCH=Incremental  # one new file of a hundred, and none
//	MSS_BENCH_PLAYS=100000000 make bench BENCH=Job/integrate
//
// The figures of a process are the operating system's: its CPU time, and its peak resident memory. The input is generated
// once, into .cache/bench, and is in the page cache when it is read.
package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program builds mss and returns its path.
func program(b *testing.B, root string) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "mss")
	build := exec.Command("go", "build", "-trimpath", "-o", bin, "./cmd/mss")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// usage is what a process cost.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // bytes
}

func (u *usage) add(o usage) {
	u.wall += o.wall
	u.cpu += o.cpu
	u.peak = max(u.peak, o.peak)
}

func run(b *testing.B, bin string, args ...string) usage {
	b.Helper()
	cmd := exec.Command(bin, args...)
	var log strings.Builder
	cmd.Stderr = &log
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("mss %s: %v\n%s", strings.Join(args, " "), err, log.String())
	}
	u := usage{wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.peak = ru.Maxrss * 1024 // Linux counts kilobytes
	}
	return u
}

func BenchmarkJob(b *testing.B) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		b.Fatal(err)
	}
	bin := program(b, root)
	sizes := os.Getenv("MSS_BENCH_PLAYS")
	if sizes == "" {
		sizes = "1000000,10000000"
	}
	jobs := []string{"metadata", "integrate", "kpi"}
	for _, size := range strings.Split(sizes, ",") {
		plays, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			b.Fatalf("MSS_BENCH_PLAYS=%s: %v", sizes, err)
		}
		dir := filepath.Join(root, ".cache", "bench", size)
		places := []string{"--raw", dir + "/raw", "--curated", dir + "/curated", "--analytics", dir + "/analytics",
			"--warehouse", "sqlite:" + dir + "/warehouse.db", "--no-progress", "--log-level", "warn"}
		made := false
		for i, job := range jobs {
			b.Run(fmt.Sprintf("%s/plays=%s", job, size), func(b *testing.B) {
				if !made {
					run(b, bin, append([]string{"generate", "--plays", size, "--files", "10"}, places[:2]...)...)
					for _, before := range jobs[:i] {
						run(b, bin, append([]string{"run", before}, places...)...)
					}
					made = true
				}
				var sum usage
				n := 0
				for b.Loop() {
					sum.add(run(b, bin, append([]string{"run", job, "--full"}, places...)...))
					n++
				}
				b.ReportMetric(float64(plays)*float64(n)/sum.wall.Seconds(), "plays/s")
				b.ReportMetric(sum.cpu.Seconds()/float64(n), "cpu-s/op")
				b.ReportMetric(float64(sum.peak)/1e6, "peak-MB")
			})
		}
	}
}

package bench

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkNightly times the kpi job when a hundred files are its history: with one more, and with nothing new.
func BenchmarkNightly(b *testing.B) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		b.Fatal(err)
	}
	bin := program(b, root)
	dir := filepath.Join(root, ".cache", "bench", "nightly")
	places := []string{"--raw", dir + "/raw", "--curated", dir + "/curated", "--analytics", dir + "/analytics",
		"--warehouse", "sqlite:" + dir + "/warehouse.db", "--no-progress", "--log-level", "warn"}
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	must(os.RemoveAll(dir))
	run(b, bin, append([]string{"generate", "--plays", "10100000", "--files", "101"}, places[:2]...)...)
	streams, err := filepath.Glob(dir + "/raw/streams/*.csv")
	must(err)
	last := streams[len(streams)-1]
	must(os.Rename(last, dir+"/last.csv"))
	for _, job := range []string{"metadata", "integrate", "kpi"} {
		run(b, bin, append([]string{"run", job}, places...)...)
	}
	// What the runs below change, as it is now.
	before := []string{"curated/_mss/kpi", "analytics", "warehouse.db"}
	for _, name := range before {
		copyAll(b, filepath.Join(dir, name), filepath.Join(dir, "before", name))
	}
	must(os.Rename(dir+"/last.csv", last))
	run(b, bin, append([]string{"run", "integrate"}, places...)...)

	report := func(b *testing.B, sum usage) {
		b.ReportMetric(1000*sum.cpu.Seconds()/float64(b.N), "cpu-ms/op")
		b.ReportMetric(float64(sum.peak)/1e6, "peak-MB")
	}
	b.Run("one-new", func(b *testing.B) {
		var sum usage
		for b.Loop() {
			b.StopTimer()
			for _, name := range before {
				must(os.RemoveAll(filepath.Join(dir, name)))
				copyAll(b, filepath.Join(dir, "before", name), filepath.Join(dir, name))
			}
			b.StartTimer()
			sum.add(run(b, bin, append([]string{"run", "kpi"}, places...)...))
		}
		report(b, sum)
	})
	b.Run("nothing-new", func(b *testing.B) {
		var sum usage
		for b.Loop() {
			sum.add(run(b, bin, append([]string{"run", "kpi"}, places...)...))
		}
		report(b, sum)
	})
}

func (u *usage) add(o usage) {
	u.wall += o.wall
	u.cpu += o.cpu
	u.peak = max(u.peak, o.peak)
}

// copyAll copies a file or a folder to where there is none.
func copyAll(b *testing.B, from, to string) {
	b.Helper()
	fi, err := os.Stat(from)
	if err != nil {
		b.Fatal(err)
	}
	if fi.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else {
		var data []byte
		if data, err = os.ReadFile(from); err == nil {
			if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
				err = os.WriteFile(to, data, 0o644)
			}
		}
	}
	if err != nil {
		b.Fatal(err)
	}
}

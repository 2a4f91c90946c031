package bench

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkIncremental runs all jobs on a lake of a hundred files of 100,000 plays each: in full, with one file that is new, and with nothing
// new. Each is of the same lake in turn, so the shares that it reports hold whatever else the machine does. State is the size of what is kept
// of the KPIs.
func BenchmarkIncremental(b *testing.B) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		b.Fatal(err)
	}
	bin := program(b, root)
	dir := filepath.Join(root, ".cache", "bench", "incremental")
	places := []string{"--raw", dir + "/raw", "--curated", dir + "/curated", "--analytics", dir + "/analytics",
		"--warehouse", "sqlite:" + dir + "/warehouse.db", "--no-progress", "--log-level", "error"}
	all := func(args ...string) usage {
		return run(b, bin, append(append([]string{"run", "all"}, args...), places...)...)
	}
	run(b, bin, append([]string{"generate", "--plays", "10000000", "--files", "100"}, places[:2]...)...)
	files, err := filepath.Glob(dir + "/raw/streams/*")
	if err != nil || len(files) != 100 {
		b.Fatalf("%d files of plays, %v", len(files), err)
	}
	last, away := files[99], filepath.Join(dir, "away")
	all()
	var full, one, none usage
	n := 0
	for b.Loop() {
		full.add(all("--full"))
		if err := os.Rename(last, away); err != nil {
			b.Fatal(err)
		}
		all("--on-missing-source", "remove")
		if err := os.Rename(away, last); err != nil {
			b.Fatal(err)
		}
		one.add(all())
		all() // what was new is looked at once more when it is young
		none.add(all())
		n++
	}
	b.ReportMetric(full.cpu.Seconds()/float64(n), "full-cpu-s/op")
	b.ReportMetric(one.cpu.Seconds()/float64(n), "new-cpu-s/op")
	b.ReportMetric(100*one.cpu.Seconds()/full.cpu.Seconds(), "new-%")
	b.ReportMetric(one.wall.Seconds()*1000/float64(n), "new-ms/op")
	b.ReportMetric(none.wall.Seconds()*1000/float64(n), "nothing-ms/op")
	b.ReportMetric(100*float64(size(b, dir+"/curated/_mss/kpi"))/float64(size(b, dir+"/raw/streams")), "state-%")
}

// size adds up the files below a folder.
func size(b *testing.B, dir string) (n int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"mss/internal/report"
)

// writeRun prints the report of a run.
func writeRun(w io.Writer, format string, r report.Run) error {
	var err error
	if format == "json" {
		err = writeRunJSON(w, r)
	} else {
		_, err = io.WriteString(w, runText(r))
	}
	if err != nil {
		return fmt.Errorf("write the run report: %w", err)
	}
	return nil
}

// writeRunJSON prints the document of --output json. Empty lists and mappings are there, not null.
func writeRunJSON(w io.Writer, r report.Run) error {
	r.Jobs = append([]report.Job{}, r.Jobs...)
	for i := range r.Jobs {
		if r.Jobs[i].Rejected == nil {
			r.Jobs[i].Rejected = map[string]int64{}
		}
		if r.Jobs[i].Sources == nil {
			r.Jobs[i].Sources = map[string]int{}
		}
	}
	return writeDocument(w, r)
}

// runText is the report for people: a column for each job, and the checks that nothing was dropped.
func runText(r report.Run) string {
	var b strings.Builder
	var seconds float64
	for _, j := range r.Jobs {
		seconds += j.Seconds
	}
	fmt.Fprintf(&b, "run %s: %s", r.Run, r.Outcome)
	if len(r.Jobs) > 0 {
		fmt.Fprintf(&b, " in %.2f s", seconds)
	}
	b.WriteByte('\n')
	if len(r.Jobs) > 0 {
		b.WriteString(figures(r.Jobs))
		b.WriteByte('\n')
	}
	for _, j := range r.Jobs {
		for _, line := range balance(j) {
			fmt.Fprintf(&b, "  %-9s  %s\n", j.Job, line)
		}
	}
	return b.String()
}

func figures(jobs []report.Job) string {
	t := newTable()
	head := table.Row{""}
	align := []table.ColumnConfig{}
	for i, j := range jobs {
		head = append(head, j.Job)
		align = append(align, table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(align)
	line := func(name string, figure func(report.Job) string) {
		row := table.Row{name}
		for _, j := range jobs {
			row = append(row, figure(j))
		}
		t.AppendRow(row)
	}
	count := func(name string, n func(report.Job) int64) {
		line(name, func(j report.Job) string { return humanize.Comma(n(j)) })
	}
	count("rows in", func(j report.Job) int64 { return j.RowsIn })
	count("rows out", func(j report.Job) int64 { return j.RowsOut })
	count("plays", func(j report.Job) int64 { return j.Plays })
	count("rejected", report.Job.RejectedTotal)
	for _, reason := range reasons(jobs) {
		count("  "+reason, func(j report.Job) int64 { return j.Rejected[reason] })
	}
	for _, action := range actions(jobs) {
		count(action+" sources", func(j report.Job) int64 { return int64(j.Sources[action]) })
	}
	count("collapsed", func(j report.Job) int64 { return j.Collapsed })
	count("objects", func(j report.Job) int64 { return int64(j.Objects) })
	line("read", func(j report.Job) string { return humanize.Bytes(uint64(j.BytesRead)) })
	line("written", func(j report.Job) string { return humanize.Bytes(uint64(j.BytesWritten)) })
	line("seconds", func(j report.Job) string { return fmt.Sprintf("%.2f", j.Seconds) })
	count("rows/s", func(j report.Job) int64 { return int64(j.RowsPerS) })
	return t.Render()
}

func reasons(jobs []report.Job) []string {
	var all []string
	for _, j := range jobs {
		for reason := range j.Rejected {
			all = append(all, reason)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// actions are what was done with sources, in the order of their names.
func actions(jobs []report.Job) []string {
	var all []string
	for _, j := range jobs {
		for action, n := range j.Sources {
			if n > 0 {
				all = append(all, action)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// balance is the check that nothing was dropped silently: where every row went that a job read, and, where there is more, every row
// of the dataset.
func balance(j report.Job) []string {
	if j.Job == "kpi" {
		// The job itself checks its plays against the sum over the hours.
		c := humanize.Comma
		return []string{fmt.Sprintf("%s rows in hold %s plays, each counted in one hour", c(j.RowsIn), c(j.Plays))}
	}
	read := report.Total{RowsIn: j.RowsIn, RowsOut: j.RowsOut, Plays: j.Plays, Rejected: j.RejectedTotal(), Collapsed: j.Collapsed}
	lines := []string{sum(j.Job, read)}
	if all := j.Total; all.RowsIn != j.RowsIn && all.Sources > 0 {
		if j.RowsIn == 0 {
			lines = nil // nothing was read
		}
		lines = append(lines, fmt.Sprintf("in all %s sources: %s", humanize.Comma(int64(all.Sources)), sum(j.Job, all)))
	}
	return lines
}

// sum is a balance as an equation.
func sum(job string, t report.Total) string {
	c := humanize.Comma
	var line string
	missing := t.RowsIn - t.Rejected
	if job == "metadata" {
		line = fmt.Sprintf("%s rows in = %s rows out + %s rejected + %s collapsed", c(t.RowsIn), c(t.RowsOut), c(t.Rejected), c(t.Collapsed))
		missing -= t.RowsOut + t.Collapsed
	} else {
		line = fmt.Sprintf("%s rows in = %s plays + %s rejected", c(t.RowsIn), c(t.Plays), c(t.Rejected))
		missing -= t.Plays
	}
	if missing != 0 {
		line += fmt.Sprintf("  (%s unaccounted for: the job stopped early)", c(missing))
	}
	return line
}

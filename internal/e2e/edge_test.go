package e2e

import (
	"strings"
	"testing"

	"mss/internal/oracle"
	"mss/internal/schema"
)

// TestEdges has inputs that are too large or too odd for a case folder: limits, and ends of files.
func TestEdges(t *testing.T) {
	const (
		header = "user_id,track_id,listen_time\n"
		wide   = "user_id,track_id,listen_time,x\n"
		play   = "1,t1,2024-06-01 10:00:00"
		mib    = oracle.MaxQuoted
	)
	quoted := func(text string) string { return wide + play + ",\"" + text + "\"\n" + play + ",\n" }
	y := func(n int) string { return strings.Repeat("y", n) }
	for name, content := range map[string]string{
		"CR alone on the last line":          header + play + "\n\r",
		"CR alone after CRLF":                header + play + "\r\n\r",
		"empty lines alone":                  header + "\n\n\n",
		"header that ends in CR":             "user_id,track_id,listen_time\r",
		"header over three lines":            "\"user_id\",\"track_id\",\"listen_time\",\"a\nb\r\nc\"\n" + play + ",\n" + play + "\n",
		"second BOM":                         "\ufeff" + header + "\ufeff" + play + "\n" + play + "\n",
		"just below 1 MiB":                   quoted(y(mib - 100)),
		"well above 1 MiB":                   quoted(y(mib + 100)),
		"well above 1 MiB in doubled quotes": quoted(strings.Repeat(`""`, mib/2+50)),
		"just below 1 MiB in doubled quotes": quoted(strings.Repeat(`""`, mib/2-50)),
		"5 MiB unquoted":                     wide + play + "," + y(5*mib) + "\n" + play + ",\n",
		"a row of 20 MiB":                    wide + play + "," + strings.Repeat(`"`+y(mib-100)+`",`, 20) + "\n" + play + ",\n",
		"open after a doubled quote":         wide + play + ",\"\"\"\n" + play + ",\n",
		"a quote alone at the end":           header + play + "\n\"",
		"closing quote at the end":           header + "1,t1,\"2024-06-01 10:00:00\"",
		"closing quote and CR at the end":    header + "1,t1,\"2024-06-01 10:00:00\"\r",
		"CR in an open field at the end":     header + "1,t1,\"2024-06-01 10:00:00\r",
		"100,000 digits": header + strings.Repeat("0", 100_000) + "1,t1,2024-06-01 10:00:00." + strings.Repeat("9", 100_000) + "Z\n" +
			strings.Repeat("1", 100_000) + ",t1,2024-06-01 10:00:00\n",
	} {
		t.Run(name, func(t *testing.T) {
			lake := raw("t1,A,n,1,1,p\n", "1,2020-01-01\n", "")
			lake["streams/a.csv"] = []byte(content)
			lake["streams/a.csv.gz"] = oracle.Gzip([]byte(content))
			s := newSite(t, lake)
			s.must(t, "run", "metadata")
			s.must(t, "run", "integrate", "--threads", "3", "--max-reject-ratio", "1")
			s.checkCurated(t, expect(t, lake, schema.Corrected))
		})
	}
}

// TestHeaders has headers that cannot serve: the run fails and names the file.
func TestHeaders(t *testing.T) {
	for name, header := range map[string]string{
		"open quote":      "\"user_id,track_id,listen_time\n1,t1,2024-06-01 10:00:00\n",
		"quote inside":    "user_id,track\"_id,listen_time\n",
		"after the quote": "user_id,\"track_id\"x,listen_time\n",
		"a column twice":  "user_id,track_id,listen_time,track_id\n",
		"empty line":      "\nuser_id,track_id,listen_time\n",
		"spaces":          "user_id, track_id,listen_time\n",
		"semicolons":      "user_id;track_id;listen_time\n",
	} {
		t.Run(name, func(t *testing.T) {
			lake := plenty(10)
			lake["streams/b/x.csv"] = []byte(header)
			s := newSite(t, lake)
			s.must(t, "run", "metadata")
			before := s.data(t)
			s.fails(t, 1, []string{"streams/b/x.csv"}, "run", "integrate")
			same(t, "after the failed run", s.data(t), before)
		})
	}
}

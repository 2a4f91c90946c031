package pgtest_test

import (
	"bufio"
	"context"
	"net"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mss/internal/redshift/pgtest"
)

func TestNewGivesEmptyDatabases(t *testing.T) {
	ctx := t.Context()
	for range 2 {
		conn, err := pgx.Connect(ctx, pgtest.New(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(ctx, "CREATE TABLE only_once (n int)"); err != nil {
			t.Error(err)
		}
		var encoding string
		if err := conn.QueryRow(ctx, "SHOW server_encoding").Scan(&encoding); err != nil || encoding != "UTF8" {
			t.Errorf("server_encoding %q, %v", encoding, err)
		}
		conn.Close(ctx)
	}
}

// TestServerDiesWithProcess kills a test process, which can then clean up nothing itself.
func TestServerDiesWithProcess(t *testing.T) {
	if os.Getenv("MSS_PGTEST_VICTIM") != "" {
		os.Stdout.WriteString(pgtest.New(t) + "\n")
		time.Sleep(time.Minute)
		return
	}
	tmp, err := os.MkdirTemp("", "mss-pgtest-victim-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	if err := os.Chmod(tmp, 0o777); err != nil { // the server's account removes its folder in there
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "MSS_PGTEST_VICTIM=1", "TMPDIR="+tmp, pgtest.Variable+"=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(line[:len(line)-1])
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	c, err := dialer.DialContext(context.Background(), "tcp", u.Host)
	if err != nil {
		t.Fatalf("the victim's server does not answer: %v", err)
	}
	c.Close()
	cmd.Process.Kill()
	cmd.Wait()
	for wait := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left, err := os.ReadDir(tmp)
		if err != nil {
			t.Fatal(err)
		}
		c, dialErr := dialer.DialContext(context.Background(), "tcp", u.Host)
		if dialErr != nil && len(left) == 0 {
			return
		}
		if dialErr == nil {
			c.Close()
		}
		if time.Now().After(wait) {
			t.Fatalf("20 s after its test process was killed: the server answers: %t, files left: %v", dialErr == nil, left)
		}
	}
}

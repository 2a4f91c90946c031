package s3test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNewServesFreshBuckets(t *testing.T) {
	a, b := New(t), New(t)
	if a.Endpoint != b.Endpoint || a.Bucket == b.Bucket {
		t.Errorf("want one server and two buckets, got %s %s and %s %s", a.Endpoint, a.Bucket, b.Endpoint, b.Bucket)
	}
	res, err := http.Get(a.Endpoint + "/" + a.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("an anonymous request gets %s, want 403", res.Status)
	}
}

func TestMissingBinaryNamesTheRemedy(t *testing.T) {
	t.Setenv("MSS_TEST_VERSITYGW", filepath.Join(t.TempDir(), "none"))
	if _, err := find(); err == nil {
		t.Error("a missing binary was found")
	}
	t.Setenv("MSS_TEST_VERSITYGW", "")
	t.Setenv("PATH", "")
	t.Chdir(t.TempDir())
	if bin, err := find(); err != nil && !strings.Contains(err.Error(), "make test-tools") {
		t.Errorf("found %q, error %v does not say what to do", bin, err)
	}
}

const dieFile = "MSS_TEST_S3TEST_DIE"

// TestServerDiesWithItsTest starts a server in a process of its own, which panics.
func TestServerDiesWithItsTest(t *testing.T) {
	if file := os.Getenv(dieFile); file != "" {
		if err := os.WriteFile(file, []byte(New(t).Endpoint), 0o644); err != nil {
			t.Fatal(err)
		}
		panic("on purpose")
	}
	file := filepath.Join(t.TempDir(), "endpoint")
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerDiesWithItsTest$")
	cmd.Env = append(os.Environ(), dieFile+"="+file)
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("the process did not panic: %s", out)
	}
	endpoint, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(string(endpoint), "http://")
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		c.Close()
		if time.Now().After(deadline) {
			t.Fatalf("the server on %s outlived its test", addr)
		}
	}
}

// Package s3test gives tests a real S3 server: one versitygw per test process, on a loopback port, over a
// temporary folder. A missing binary fails the test; nothing is skipped.
package s3test

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const remedy = "run `make test-tools`, or set MSS_TEST_VERSITYGW to the binary"

// Server is a running server, with an empty bucket of the test's own, which is removed when the test ends.
type Server struct {
	Endpoint  string // http://127.0.0.1:port
	Bucket    string
	URL       string // s3://bucket
	AccessKey string
	SecretKey string
	Region    string
	// Dir is the bucket's folder on disk, to look at what the server has stored.
	Dir string
}

// process is the server that all tests of this process share.
type process struct {
	endpoint, access, secret, root string
	err                            error
}

const region = "us-east-1"

var (
	start   sync.Once
	running process
)

// New returns the server, started by the first call, with a fresh bucket.
func New(t testing.TB) *Server {
	t.Helper()
	start.Do(func() { running.err = running.start() })
	if running.err != nil {
		t.Fatalf("S3 server for tests: %v", running.err)
	}
	name := "mss-" + strings.ToLower(rand.Text()[:16])
	s := &Server{
		Endpoint: running.endpoint, Bucket: name, URL: "s3://" + name,
		AccessKey: running.access, SecretKey: running.secret, Region: region, Dir: filepath.Join(running.root, name),
	}
	// To this server a folder is a bucket, and belongs to the root user, whose keys these are.
	if err := os.Mkdir(s.Dir, 0o755); err != nil {
		t.Fatalf("make a bucket: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(s.Dir) })
	return s
}

// Environ is what a process needs in its environment to use the server, and nothing of the developer's own
// AWS configuration.
func (s *Server) Environ() map[string]string {
	none := filepath.Join(running.root, "none")
	return map[string]string{
		"AWS_ACCESS_KEY_ID":           s.AccessKey,
		"AWS_SECRET_ACCESS_KEY":       s.SecretKey,
		"AWS_SESSION_TOKEN":           "",
		"AWS_REGION":                  s.Region,
		"AWS_ENDPOINT_URL":            s.Endpoint,
		"AWS_ENDPOINT_URL_S3":         "",
		"AWS_PROFILE":                 "",
		"AWS_CONFIG_FILE":             none,
		"AWS_SHARED_CREDENTIALS_FILE": none,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"NO_PROXY":                    "127.0.0.1,localhost",
		"no_proxy":                    "127.0.0.1,localhost",
	}
}

// Setenv points the AWS SDK of this test at the server. It cannot be used in parallel tests.
func (s *Server) Setenv(t testing.TB) {
	t.Helper()
	for name, value := range s.Environ() {
		t.Setenv(name, value)
	}
}

func (p *process) start() error {
	bin, err := find()
	if err != nil {
		return err
	}
	sweep()
	// The server wants an absolute path. The process id in it lets the next process clean up.
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	p.root, p.access, p.secret = filepath.Join(dir, "buckets"), rand.Text(), rand.Text()
	if err := os.Mkdir(p.root, 0o755); err != nil {
		return err
	}
	for range 5 { // another process may take the port in between
		if err = p.launch(bin, filepath.Join(dir, "server.log")); err == nil {
			return nil
		}
	}
	return err
}

func (p *process) launch(bin, logfile string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := l.Addr().String()
	l.Close()
	log, err := os.Create(logfile)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(bin, "--quiet", "--keep-alive", "--port", addr, "--region", region, "posix", p.root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+p.access, "ROOT_SECRET_KEY="+p.secret) // not for every ps to see
	cmd.Stdout, cmd.Stderr = log, log
	ended := make(chan error, 1)
	begun := make(chan error, 1)
	go func() {
		// The kernel kills the server when this thread ends, so the thread stays until the process does,
		// by panic and kill as well.
		runtime.LockOSThread()
		dieWithParent(cmd)
		if err := cmd.Start(); err != nil {
			begun <- err
			return
		}
		begun <- nil
		ended <- cmd.Wait()
	}()
	if err := <-begun; err != nil {
		return fmt.Errorf("start %s: %w; %s", bin, err, remedy)
	}
	for wait := time.Now().Add(20 * time.Second); ; {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			select {
			case <-time.After(20 * time.Millisecond): // it is ours that answers, not who took its port
			case <-ended:
				return fmt.Errorf("%s lost port %s", bin, addr)
			}
			p.endpoint = "http://" + addr
			return nil
		}
		select {
		case err := <-ended:
			said, _ := os.ReadFile(logfile)
			return fmt.Errorf("%s ended at once (%v): %s", bin, err, said)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(wait) {
			cmd.Process.Kill()
			return fmt.Errorf("%s does not answer on %s", bin, addr)
		}
	}
}

const dirPrefix = "mss-s3test-"

// sweep removes the folders of test processes that are dead; a killed one cannot do so itself.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	for _, dir := range dirs {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && syscall.Kill(n, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
}

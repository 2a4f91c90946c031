// Package mototest gives tests a server that speaks the AWS control APIs (Glue, Secrets Manager, STS, KMS): one
// moto_server per test process, on a loopback port, all in memory, with what it lacks added in front of it (front.go).
// A missing program fails the test; nothing is skipped.
package mototest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	variable = "MSS_TEST_MOTO"
	remedy   = "run `make test-tools`, or set " + variable + " to the program moto_server"
)

// Account is the account that the server plays, and Region where the tests are in it.
const (
	Account = "123456789012"
	Region  = "us-east-1"
)

// keeper runs the server until the test process is gone, by whatever end: then its standard input ends.
const keeper = `"$@" & server=$!
while read -r line; do :; done
kill $server; wait $server`

var shared struct {
	once     sync.Once
	endpoint string
	life     any // the pipe whose end stops the server
	err      error
}

// New returns a server with nothing in it. The first call starts the one behind it.
func New(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.err = start() })
	if shared.err != nil {
		t.Fatalf("AWS server for tests: %v", shared.err)
	}
	resp, err := http.Post(shared.endpoint+"/moto-api/reset", "", nil)
	if err != nil {
		t.Fatalf("AWS server for tests: reset: %v", err)
	}
	resp.Body.Close()
	return newServer(t, shared.endpoint)
}

// Setenv points the AWS SDK of this test at an endpoint, with nothing of the developer's own AWS configuration.
func Setenv(t testing.TB, endpoint string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "", "AWS_REGION": Region,
		"AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_S3": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": none,
		"AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
		"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
	} {
		t.Setenv(name, value)
	}
}

func start() error {
	bin, err := find()
	if err != nil {
		return err
	}
	for range 3 { // another process may take the port in between
		if err = launch(bin); err == nil {
			return nil
		}
	}
	return err
}

func launch(bin string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.Command("/bin/sh", "-c", keeper, "sh", bin, "-H", host, "-p", port)
	// Nothing of the developer's or the test's own AWS configuration.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "MOTO_ACCOUNT_ID=" + Account, "MOTO_IAM_LOAD_MANAGED_POLICIES=false"}
	life, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w; %s", bin, err, remedy)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	endpoint := "http://" + net.JoinHostPort(host, port)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		resp, err := http.Get(endpoint + "/moto-api/data.json")
		if err == nil {
			resp.Body.Close()
			shared.endpoint, shared.life = endpoint, life
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("%s ended at once: %v", bin, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	life.Close()
	return fmt.Errorf("%s does not answer on %s", bin, endpoint)
}

// find looks where make test-tools puts the program, and in PATH.
func find() (string, error) {
	if bin := os.Getenv(variable); bin != "" {
		return exec.LookPath(bin)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		bin := filepath.Join(at, ".cache", "venv-aws", "bin", "moto_server")
		if _, err := exec.LookPath(bin); err == nil {
			return bin, nil
		}
	}
	if bin, err := exec.LookPath("moto_server"); err == nil {
		return bin, nil
	}
	return "", errors.New("no moto_server in .cache/venv-aws, nor in PATH: " + remedy)
}

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mss/internal/blob/s3test"
)

// binary is the program, built once for all tests that need a process of its own.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mss-e2e-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "mss")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", name, "mss/cmd/mss")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := binary(); err == nil && strings.Contains(name, "mss-e2e-") {
		os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// process is the program as a process of its own.
type process struct {
	*exec.Cmd
	out bytes.Buffer // stdout and stderr
}

// start starts the program on the site's places; env is added to this process's.
func (s *site) start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	name, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(name, s.withPlaces(args)...)}
	p.Env = append(os.Environ(), env...)
	p.Stdout, p.Stderr = &p.out, &p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// code waits for the end, and gives the exit code; -1 when a signal ended it.
func (p *process) code() int {
	err := p.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -2
	}
	return 0
}

// proxy stands before a server, and lets a test do something at a request.
type proxy struct {
	URL string

	mu       sync.Mutex
	requests []string // method, path and query, as they came
	at       func(n int, r *http.Request) (before, after func())
}

// newProxy stands before an S3 server.
func newProxy(t *testing.T, server *s3test.Server) *proxy {
	t.Helper()
	to, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	// The host stays that of the proxy: the client has signed it.
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { w.WriteHeader(http.StatusBadGateway) }}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.requests = append(p.requests, r.Method+" "+r.URL.RequestURI())
		n, at := len(p.requests), p.at
		p.mu.Unlock()
		var before, after func()
		if at != nil {
			before, after = at(n, r)
		}
		if before != nil {
			before()
		}
		if after == nil {
			forward.ServeHTTP(w, r)
			return
		}
		// The server is to have done it, whatever becomes of the client.
		answer := newRecorder()
		forward.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
		after()
		answer.to(w)
	})}
	l, err := newListener()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	p.URL = "http://" + l.Addr().String()
	return p
}

// watch sets what happens at requests from now on, and counts them anew.
func (p *proxy) watch(at func(n int, r *http.Request) (before, after func())) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests, p.at = nil, at
}

func (p *proxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}

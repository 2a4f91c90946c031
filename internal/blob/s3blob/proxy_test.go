package s3blob_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"

	"mss/internal/blob/s3test"
)

// proxy stands between the driver and the server, counts requests, and breaks those that a test picks.
type proxy struct {
	*httptest.Server
	to *httputil.ReverseProxy

	mu      sync.Mutex
	seen    []*http.Request
	tamper  func(act string, n int) fault // n counts the requests of that act from 1
	counted map[string]int
}

type fault int

const (
	pass   fault = iota
	before       // the connection breaks, the server never sees the request
	after        // the server carries it out, the answer is lost
	half         // the answer breaks off in the middle of its body
	error500
)

func newProxy(t *testing.T, srv *s3test.Server, start func(http.Handler) *httptest.Server) *proxy {
	t.Helper()
	target, err := url.Parse(srv.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{counted: map[string]int{}}
	p.to = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) },
	}
	p.Server = start(p)
	t.Cleanup(p.Close)
	return p
}

// act is what a request wants, by its method and query.
func act(r *http.Request) string {
	q := r.URL.Query()
	switch {
	case q.Has("uploads"):
		return r.Method + " uploads"
	case q.Has("partNumber"):
		return "part"
	case q.Has("uploadId") && r.Method == http.MethodPost:
		return "complete"
	case q.Has("uploadId"):
		return "abort"
	}
	return r.Method
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := act(r)
	p.mu.Lock()
	p.seen = append(p.seen, r)
	p.counted[a]++
	f := pass
	if p.tamper != nil {
		f = p.tamper(a, p.counted[a])
	}
	p.mu.Unlock()
	switch f {
	case before:
		panic(http.ErrAbortHandler)
	case after:
		p.to.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case half:
		p.to.ServeHTTP(&halfWriter{ResponseWriter: w, left: 300_000}, r)
	case error500:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		p.to.ServeHTTP(w, r)
	}
}

func (p *proxy) breaks(tamper func(act string, n int) fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tamper, p.counted, p.seen = tamper, map[string]int{}, nil
}

// requests returns those of one act.
func (p *proxy) requests(a string) []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.seen), func(r *http.Request) bool { return act(r) != a })
}

// on breaks the n-th request of an act.
func on(a string, n int, f fault) func(string, int) fault {
	return func(act string, i int) fault {
		if act == a && i == n {
			return f
		}
		return pass
	}
}

type halfWriter struct {
	http.ResponseWriter
	left int
}

func (w *halfWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		w.ResponseWriter.Write(p[:w.left])
		w.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.left -= len(p)
	return w.ResponseWriter.Write(p)
}

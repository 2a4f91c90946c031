// Package iamtest gives tests an account with IAM: a proxy before an S3 server and a server of AWS's control APIs that
// works out which actions each request needs, on which resources, and refuses with AccessDenied what the policy that it
// enforces does not allow. It also plays KMS for S3: an object put under a key needs that key to be read.
//
// What needs what is written down after the service authorization reference and the API references; it never met the
// real thing.
package iamtest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"mss/internal/mototest"
	"mss/internal/policy"
)

// KeyARN is the one KMS key of the account, and KeyAlias its alias.
const (
	KeyARN   = "arn:aws:kms:" + mototest.Region + ":" + mototest.Account + ":key/0d7a6a2c-1f4f-4a7a-9a55-1f0c5b1a2b3c"
	KeyAlias = "alias/mss"
)

// Proxy is the account. Its zero policy allows nothing.
type Proxy struct {
	URL string

	s3, aws *httputil.ReverseProxy

	mu        sync.Mutex
	policy    policy.Document
	terse     bool
	encrypted map[string]bool // objects, and uploads by id, that are under the key
	refused   []string
}

// New returns an account before the two servers.
func New(t testing.TB, s3Endpoint, awsEndpoint string) *Proxy {
	t.Helper()
	p := &Proxy{s3: reverse(t, s3Endpoint), aws: reverse(t, awsEndpoint), encrypted: map[string]bool{}}
	p.s3.ModifyResponse = p.seen
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

func reverse(t testing.TB, endpoint string) *httputil.ReverseProxy {
	t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}
}

// Enforce makes the policy the one that holds from now on. Terse refusals do not say which action was refused, as S3's
// often do not.
func (p *Proxy) Enforce(d policy.Document, terse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.policy, p.terse, p.refused = d, terse, nil
}

// Refused lists the actions that were refused since Enforce.
func (p *Proxy) Refused() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service := serviceOf(r)
	var asks []ask
	if service == "s3" {
		asks = p.s3Asks(r)
	} else {
		asks = awsAsks(service, r, body(r))
	}
	for _, a := range asks {
		if !p.allowed(a) {
			p.refuse(w, r, service, a)
			return
		}
	}
	if service == "s3" {
		p.s3.ServeHTTP(w, r)
		return
	}
	p.aws.ServeHTTP(w, r)
}

func (p *Proxy) allowed(a ask) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ok := allows(p.policy, a)
	if !ok {
		p.refused = append(p.refused, a.action)
	}
	return ok
}

// serviceOf is the service that a request is signed for: Credential=KEY/DATE/REGION/SERVICE/aws4_request.
func serviceOf(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	part := strings.Split(scope, "/")
	if len(part) < 5 {
		return ""
	}
	return part[3]
}

// body reads the request's body, and puts it back.
func body(r *http.Request) []byte {
	data, _ := io.ReadAll(r.Body)
	r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(data))
	return data
}

// refuse answers as the service would. KMS always says what it refused, S3 only to those of its own account.
func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, service string, a ask) {
	message := fmt.Sprintf("User: arn:aws:sts::%s:assumed-role/mss/box is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
		mototest.Account, a.action, a.resource, a.action)
	p.mu.Lock()
	terse := p.terse && !strings.HasPrefix(a.action, "kms:")
	p.mu.Unlock()
	switch {
	case service == "s3" && r.Method == http.MethodHead:
		w.WriteHeader(http.StatusForbidden)
	case service == "s3":
		if terse {
			message = "Access Denied"
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		writeXML(w, struct {
			XMLName       xml.Name `xml:"Error"`
			Code, Message string
		}{Code: "AccessDenied", Message: message})
	case service == "redshift":
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusForbidden)
		type e struct{ Type, Code, Message string }
		writeXML(w, struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Error   e
		}{Error: e{"Sender", "AccessDenied", message}})
	default:
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "AccessDeniedException", "message": message, "Message": message})
	}
}

func writeXML(w io.Writer, v any) {
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(v)
}

// Package awstest plays the logins of Redshift for tests: GetWorkgroup and GetCredentials of Redshift Serverless, and
// DescribeClusters, GetClusterCredentialsWithIAM and GetClusterCredentials. It was written after the API references
// and never met the real thing; moto has none of the serverless operations, nor the login by IAM to a cluster.
package awstest

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Server is an endpoint for redshift and redshift-serverless. Its fields are set before it is asked.
type Server struct {
	URL string

	Name       string // of the one workgroup or cluster
	Host       string // of its endpoint; "" is none
	Port       int32
	Status     string // of the cluster; "" is available
	RefuseCode string // when set, the error of every answer that is no description
	Broken     bool   // the answers that hold a password end in the middle

	// Issue makes credentials for a database and user, "" being that of the AWS identity.
	Issue func(database, user string) (dbUser, password string)

	mu     sync.Mutex
	calls  []string
	signed string
}

// New returns a server with a workgroup or cluster of that name, which the AWS SDK of this test goes to.
func New(t testing.TB, name string) *Server {
	t.Helper()
	s := &Server{Name: name, Host: name + ".example.com", Port: 5439}
	front := httptest.NewServer(s)
	t.Cleanup(front.Close)
	s.URL = front.URL
	if t, ok := t.(interface{ Setenv(string, string) }); ok {
		t.Setenv("AWS_ENDPOINT_URL_REDSHIFT", s.URL)
		t.Setenv("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", s.URL)
	}
	return s
}

// Calls are the operations that were asked for, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Signed is the signature of the last request: who asked, and in which region.
func (s *Server) Signed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signed
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.signed = r.Header.Get("Authorization")
	s.mu.Unlock()
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		s.serverless(w, r, strings.TrimPrefix(target, "RedshiftServerless."))
		return
	}
	s.provisioned(w, r)
}

func (s *Server) called(operation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, operation)
}

// serverless speaks JSON.
func (s *Server) serverless(w http.ResponseWriter, r *http.Request, operation string) {
	s.called(operation)
	var in struct {
		WorkgroupName string `json:"workgroupName"`
		Database      string `json:"dbName"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := func(status int, out any) {
		text, _ := json.Marshal(out)
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(status)
		_, _ = w.Write(text[:s.length(len(text), operation)])
	}
	refuse := func(code string) {
		answer(http.StatusBadRequest, map[string]string{"__type": code, "message": "no " + operation + " on " + in.WorkgroupName})
	}
	switch {
	case in.WorkgroupName != s.Name:
		refuse("ResourceNotFoundException")
	case operation == "GetWorkgroup":
		group := map[string]any{"workgroupName": s.Name, "status": "AVAILABLE"}
		if s.Host != "" {
			group["endpoint"] = map[string]any{"address": s.Host, "port": s.Port}
		}
		answer(http.StatusOK, map[string]any{"workgroup": group})
	case s.RefuseCode != "":
		refuse(s.RefuseCode)
	case operation == "GetCredentials":
		user, password := s.Issue(in.Database, "")
		answer(http.StatusOK, map[string]string{"dbUser": user, "dbPassword": password})
	default:
		refuse("UnknownOperationException")
	}
}

// length cuts what is to be broken.
func (s *Server) length(whole int, operation string) int {
	if s.Broken && strings.Contains(operation, "Credentials") {
		return whole / 2
	}
	return whole
}

// provisioned speaks the query protocol: a form in, XML out.
func (s *Server) provisioned(w http.ResponseWriter, r *http.Request) {
	operation, name, user := r.FormValue("Action"), r.FormValue("ClusterIdentifier"), r.FormValue("DbUser")
	s.called(operation)
	answer := func(status int, out any) {
		text, _ := xml.Marshal(out)
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = w.Write(text[:s.length(len(text), operation)])
	}
	refuse := func(code string) {
		answer(http.StatusForbidden, failure{Code: code, Message: "no " + operation + " on " + name})
	}
	switch {
	case name != s.Name:
		refuse("ClusterNotFound")
	case operation == "DescribeClusters":
		c := clusters{Name: s.Name, Status: s.Status}
		if c.Status == "" {
			c.Status = "available"
		}
		if s.Host != "" {
			c.Endpoint = &endpoint{s.Host, s.Port}
		}
		answer(http.StatusOK, c)
	case s.RefuseCode != "":
		refuse(s.RefuseCode)
	case operation == "GetClusterCredentialsWithIAM" && user == "", operation == "GetClusterCredentials" && user != "":
		out := credentials{XMLName: xml.Name{Local: operation + "Response"}, Result: login{XMLName: xml.Name{Local: operation + "Result"}}}
		out.Result.User, out.Result.Password = s.Issue(r.FormValue("DbName"), user)
		answer(http.StatusOK, out)
	default:
		refuse("InvalidAction")
	}
}

type failure struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
}

type clusters struct {
	XMLName  xml.Name  `xml:"DescribeClustersResponse"`
	Name     string    `xml:"DescribeClustersResult>Clusters>Cluster>ClusterIdentifier"`
	Status   string    `xml:"DescribeClustersResult>Clusters>Cluster>ClusterStatus"`
	Endpoint *endpoint `xml:"DescribeClustersResult>Clusters>Cluster>Endpoint"`
}

type endpoint struct {
	Address string
	Port    int32
}

type credentials struct {
	XMLName xml.Name
	Result  login
}

type login struct {
	XMLName  xml.Name
	User     string `xml:"DbUser"`
	Password string `xml:"DbPassword"`
}

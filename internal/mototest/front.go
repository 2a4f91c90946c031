package mototest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Server is moto with what it lacks: the column statistics of Glue tables, Redshift Serverless and its credentials,
// and those of a cluster by IAM. These are written after the API references, and never met the real thing.
type Server struct {
	URL string

	mu         sync.Mutex
	statistics map[string]map[string]json.RawMessage // by table, by column
	workgroups map[string]Workgroup
	counted    map[string]int
	last       map[string][]byte // body of the last request for an operation
}

// Workgroup is a workgroup of Redshift Serverless.
type Workgroup struct {
	Name, Host string
	Port       int
	Public     bool
}

// ARN is the workgroup's resource name: with an id, not its name.
func (w Workgroup) ARN() string {
	return "arn:aws:redshift-serverless:" + Region + ":" + Account + ":workgroup/7f0c2d9e-6a51-4f0e-9a3c-2f6b1d0c8e44"
}

func newServer(t testing.TB, moto string) *Server {
	t.Helper()
	to, err := url.Parse(moto)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		statistics: map[string]map[string]json.RawMessage{}, workgroups: map[string]Workgroup{}, counted: map[string]int{}, last: map[string][]byte{},
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := r.Header.Get("X-Amz-Target")
		answer := map[string]func(map[string]json.RawMessage) (int, any){
			"AWSGlue.GetColumnStatisticsForTable":    s.getStatistics,
			"AWSGlue.UpdateColumnStatisticsForTable": s.updateStatistics,
			"RedshiftServerless.GetWorkgroup":        s.getWorkgroup,
			"RedshiftServerless.GetCredentials":      s.getCredentials,
		}[target]
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.counted[target]++
		s.last[target] = body
		s.mu.Unlock()
		switch {
		case strings.Contains(string(body), "Action=GetClusterCredentialsWithIAM&"):
			_, _ = io.WriteString(w, clusterCredentials)
			return
		case answer == nil:
			proxy.ServeHTTP(w, r)
			return
		}
		var in map[string]json.RawMessage
		if err := json.Unmarshal(body, &in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		status, out := answer(in)
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(front.Close)
	s.URL = front.URL
	return s
}

// Add makes a workgroup.
func (s *Server) Add(w Workgroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workgroups[w.Name] = w
}

// Count tells how often an operation was asked for, as AWSGlue.UpdateTable.
func (s *Server) Count(target string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counted[target]
}

// Last is the body of the last request for an operation.
func (s *Server) Last(target string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[target]
}

func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

func (s *Server) getStatistics(in map[string]json.RawMessage) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	_ = json.Unmarshal(in["ColumnNames"], &names)
	list := []json.RawMessage{}
	for _, name := range names {
		if st, ok := s.statistics[text(in["DatabaseName"])+"."+text(in["TableName"])][name]; ok {
			list = append(list, st)
		}
	}
	return http.StatusOK, map[string]any{"ColumnStatisticsList": list}
}

func (s *Server) updateStatistics(in map[string]json.RawMessage) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	table := text(in["DatabaseName"]) + "." + text(in["TableName"])
	if s.statistics[table] == nil {
		s.statistics[table] = map[string]json.RawMessage{}
	}
	var list []json.RawMessage
	_ = json.Unmarshal(in["ColumnStatisticsList"], &list)
	for _, st := range list {
		var column struct{ ColumnName string }
		_ = json.Unmarshal(st, &column)
		s.statistics[table][column.ColumnName] = st
	}
	return http.StatusOK, map[string]any{}
}

func (s *Server) workgroup(in map[string]json.RawMessage) (Workgroup, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.workgroups[text(in["workgroupName"])]
	return w, ok
}

func (s *Server) getWorkgroup(in map[string]json.RawMessage) (int, any) {
	w, ok := s.workgroup(in)
	if !ok {
		return notFound()
	}
	return http.StatusOK, map[string]any{"workgroup": map[string]any{
		"workgroupName": w.Name, "workgroupArn": w.ARN(), "status": "AVAILABLE", "baseCapacity": 8, "maxCapacity": 64, "enhancedVpcRouting": true,
		"configParameters":   []map[string]string{{"parameterKey": "max_query_execution_time", "parameterValue": "14400"}},
		"publiclyAccessible": w.Public, "endpoint": map[string]any{"address": w.Host, "port": w.Port},
	}}
}

func (s *Server) getCredentials(in map[string]json.RawMessage) (int, any) {
	if _, ok := s.workgroup(in); !ok {
		return notFound()
	}
	return http.StatusOK, map[string]any{"dbUser": "IAMR:mss", "dbPassword": strings.Repeat("s3cret", 3)}
}

const clusterCredentials = `<GetClusterCredentialsWithIAMResponse xmlns="http://redshift.amazonaws.com/doc/2012-12-01/"><GetClusterCredentialsWithIAMResult>
<DbUser>IAMR:mss</DbUser><DbPassword>s3crets3cret</DbPassword></GetClusterCredentialsWithIAMResult></GetClusterCredentialsWithIAMResponse>`

func notFound() (int, any) {
	return http.StatusBadRequest, map[string]any{"__type": "ResourceNotFoundException", "message": "no such workgroup"}
}

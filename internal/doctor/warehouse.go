package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Warehouse is how to reach the warehouse.
type Warehouse struct {
	Name       string // its URL, without secrets
	Host       string // "" for SQLite, for an IAM login, and where the environment names it
	Port       int
	TLS        *TLS // nil: the URL does without
	Serverless bool // a workgroup of Redshift Serverless
	Open       func(context.Context) (Rehearsal, error)
}

// Rehearsal is a warehouse that one is logged in to. Package redshift has one.
type Rehearsal interface {
	// Grants lists the grants that a load lacks.
	Grants(ctx context.Context) ([]string, error)
	// Rehearse does what a load does, and rolls back.
	Rehearse(ctx context.Context) error
	Close() error
}

// reachTime bounds each look at the network; rehearseTime the load, which waits for a run that is under way.
const (
	reachTime    = 10 * time.Second
	rehearseTime = time.Minute
)

func (e *examination) warehouse(ctx context.Context) {
	w := e.Warehouse
	if w == nil {
		return
	}
	identified := e.identity(ctx, w)
	if w.Host != "" && !e.reach(ctx, w) {
		e.skip("warehouse", "login", "the server cannot be reached")
		return
	}
	e.limits(w)
	if !identified {
		e.skip("warehouse", "login", "there are no credentials to log in with")
		return
	}
	open, err := w.Open(ctx)
	if !e.tried("warehouse", "login", "", "", err, w.Name) {
		f := &e.found[len(e.found)-1]
		f.Missing = []string{"login"}
		return
	}
	defer open.Close()
	e.grants(ctx, open)
	bounded, cancel := context.WithTimeout(ctx, rehearseTime)
	defer cancel()
	if !e.tried("warehouse", "a load, rolled back", "", "", open.Rehearse(bounded), "create, delete, insert, count") {
		f := &e.found[len(e.found)-1]
		f.Missing = []string{"a load"}
	}
}

func (e *examination) grants(ctx context.Context, open Rehearsal) {
	missing, err := open.Grants(ctx)
	switch {
	case err != nil:
		e.tried("warehouse", "grants", "", "", err, "")
	case len(missing) > 0:
		e.add(Finding{Area: "warehouse", Check: "grants", Status: Failed, Missing: missing, Detail: "the user of this login lacks rights",
			Remedy: "as an administrator of the database run: " + strings.Join(missing, " TO …; ") + " TO …;"})
	default:
		e.ok("warehouse", "grants", "nothing is missing on public.kpi_table, public.kpi_staging and public.mss_fence")
	}
}

// identity fetches what the login is made of, where AWS keeps it, and fills in the endpoint of an IAM login.
func (e *examination) identity(ctx context.Context, w *Warehouse) bool {
	if e.Cloud == nil {
		return true
	}
	good := true
	if id := e.Needs.Secret; id != "" {
		text, err := e.Cloud.Secret(ctx, id)
		if err == nil {
			err = checkSecret(text)
		}
		good = e.tried("warehouse", "secret", "secretsmanager:GetSecretValue", e.Needs.SecretARN(), err, id)
	}
	switch l := e.Needs.Login; {
	case l.Workgroup != "":
		g, err := e.Cloud.Workgroup(ctx, l.Workgroup)
		if e.tried("warehouse", "workgroup", "redshift-serverless:GetWorkgroup", e.Needs.WorkgroupARN(), err,
			fmt.Sprintf("%s, %d RPUs at least, public: %t, enhanced VPC routing: %t", strings.ToLower(g.Status), g.BaseCapacity, g.Public, g.EnhancedRouting)) {
			w.Host, w.Port = g.Host, g.Port
		} else {
			good = false
		}
		user, err := e.Cloud.WorkgroupLogin(ctx, l.Workgroup, l.Database)
		good = e.tried("warehouse", "IAM login", "redshift-serverless:GetCredentials", e.Needs.WorkgroupARN(), err, user) && good
	case l.Cluster != "":
		host, port, err := e.Cloud.Cluster(ctx, l.Cluster)
		if e.tried("warehouse", "cluster", "redshift:DescribeClusters", e.Needs.ClusterARN(), err, host) {
			w.Host, w.Port = host, port
		} else {
			good = false
		}
		action, resources := e.Needs.ClusterLogin()
		user, err := e.Cloud.ClusterLogin(ctx, l.Cluster, l.Database, l.User)
		good = e.tried("warehouse", "IAM login", action, resources[0], err, user) && good
	}
	return good
}

// checkSecret looks for the fields without which there is no login. No error holds a part of the secret.
func checkSecret(text string) error {
	var fields struct{ Username, Password string }
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return fmt.Errorf("the secret is not a JSON document with username and password, as Secrets Manager makes for Redshift")
	}
	if fields.Username == "" || fields.Password == "" {
		return fmt.Errorf("the secret lacks username or password")
	}
	return nil
}

// reach looks for the server step by step.
func (e *examination) reach(ctx context.Context, w *Warehouse) bool {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	at := net.JoinHostPort(w.Host, strconv.Itoa(w.Port))
	addrs, err := net.DefaultResolver.LookupHost(ctx, w.Host)
	if !e.tried("warehouse", "DNS", "", "", err, w.Host+" is "+strings.Join(addrs, ", ")) {
		f := &e.found[len(e.found)-1]
		f.Missing, f.Remedy = []string{"the host's address"}, "check the host in --warehouse; a workgroup's name is known once it is available, and in its VPC needs DNS resolution"
		return false
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
	if !e.tried("warehouse", "port", "", "", err, at+" answers") {
		f := &e.found[len(e.found)-1]
		f.Missing = []string{"TCP " + strconv.Itoa(w.Port)}
		f.Remedy = "let this machine in: the warehouse's security group must allow port " + strconv.Itoa(w.Port) + " from this machine's, and the two must be in one VPC or peered ones"
		return false
	}
	defer conn.Close()
	if w.TLS == nil {
		e.add(Finding{Area: "warehouse", Check: "TLS", Status: Warning, Detail: "the URL does without", Remedy: "say sslmode=verify-full in the URL, unless the server is on this machine"})
		return true
	}
	detail, err := w.TLS.handshake(ctx, conn, w.Host)
	if !e.tried("warehouse", "TLS", "", "", err, detail) {
		f := &e.found[len(e.found)-1]
		f.Missing = []string{"a trusted certificate"}
		f.Remedy = "name the authority with sslrootcert=FILE in the URL; Redshift's is in the system's certificates (package ca-certificates)"
		return false
	}
	return true
}

// limits says which limits of Redshift Serverless bear on mss there.
func (e *examination) limits(w *Warehouse) {
	if !w.Serverless {
		return
	}
	for _, l := range [][2]string{
		{"network", "a workgroup that is not public is reached from its VPC only, through port " + strconv.Itoa(w.Port)},
		{"resume", "a workgroup that was idle resumes at the first login: mss waits for up to 5 minutes"},
		{"queues", "there is no workload management and there are no parameter groups: a query's time is bounded by the workgroup's max_query_execution_time, " +
			"cost by its RPU-hour limit (deploy/mss.yaml sets one), and a load fails when that is used up"},
		{"maintenance", "there is no maintenance window: a version change can end a connection, after which mss loads again"},
		{"sessions", "2,000 connections at a time, one idle for an hour is closed: mss connects for a load, and closes"},
	} {
		e.add(Finding{Area: "warehouse", Check: "limit: " + l[0], Status: Note, Detail: l[1]})
	}
}

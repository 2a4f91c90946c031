package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Warehouse is how to reach the warehouse.
type Warehouse struct {
	Name       string // its URL, without secrets
	Host       string // "" for SQLite, for an IAM login, and where the environment names it
	Port       int
	TLS        *TLS   // nil: the URL does without
	Serverless bool   // a workgroup of Redshift Serverless
	Load       string // what the rehearsal does
	Open       func(context.Context) (Rehearsal, error)

	workgroup *Workgroup // once AWS has told of it
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
		e.last().Missing = []string{"login"}
		return
	}
	defer open.Close()
	e.grants(ctx, open)
	bounded, cancel := context.WithTimeout(ctx, rehearseTime)
	defer cancel()
	if !e.tried("warehouse", "a load, rolled back", "", "", open.Rehearse(bounded), w.Load) {
		e.last().Missing = []string{"a load"}
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
		switch {
		case denied(err):
			e.last().Remedy += "; AWS refuses a secret that does not exist in the same words"
		case absent(err):
			e.named("secret "+id, "name a secret of this account and region with --warehouse-secret, or make it")
		case errors.Is(err, errSecret):
			e.named("username and password in the secret", `store {"username": …, "password": …} in it, as Secrets Manager does for Redshift`)
		}
	}
	switch l := e.Needs.Login; {
	case l.Workgroup != "":
		g, err := e.Cloud.Workgroup(ctx, l.Workgroup)
		if e.tried("warehouse", "workgroup", "redshift-serverless:GetWorkgroup", e.Needs.WorkgroupARN(), err,
			fmt.Sprintf("%s, %d RPUs at least, public: %t, enhanced VPC routing: %t", strings.ToLower(g.Status), g.BaseCapacity, g.Public, g.EnhancedRouting)) {
			w.Host, w.Port, w.workgroup = g.Host, g.Port, &g
		} else if good = false; absent(err) {
			e.named("workgroup "+l.Workgroup, "name a workgroup of this account and region in --warehouse (redshift-iam://WORKGROUP/DATABASE?region=REGION), or deploy it: deploy/mss.yaml has one")
			break // there is nothing to log in to
		}
		user, err := e.Cloud.WorkgroupLogin(ctx, l.Workgroup, l.Database)
		good = e.tried("warehouse", "IAM login", "redshift-serverless:GetCredentials", e.Needs.WorkgroupARN(), err, user) && good
	case l.Cluster != "":
		host, port, err := e.Cloud.Cluster(ctx, l.Cluster)
		if e.tried("warehouse", "cluster", "redshift:DescribeClusters", e.Needs.ClusterARN(), err, host) {
			w.Host, w.Port = host, port
		} else if good = false; absent(err) {
			e.named("cluster "+l.Cluster, "name a cluster of this account and region in --warehouse (redshift-iam://cluster:CLUSTER/DATABASE?region=REGION)")
			break
		}
		action, resources := e.Needs.ClusterLogin()
		user, err := e.Cloud.ClusterLogin(ctx, l.Cluster, l.Database, l.User)
		good = e.tried("warehouse", "IAM login", action, resources[0], err, user) && good
	}
	return good
}

// named says of the last finding that what a name stands for is not there.
func (e *examination) named(missing, remedy string) {
	e.last().Missing, e.last().Remedy = []string{missing}, remedy
}

// errSecret is a secret that holds no login.
var errSecret = errors.New("the secret")

// checkSecret looks for the fields without which there is no login. No error holds a part of the secret.
func checkSecret(text string) error {
	var fields struct{ Username, Password string }
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return fmt.Errorf("%w is not a JSON document with username and password, as Secrets Manager makes for Redshift", errSecret)
	}
	if fields.Username == "" || fields.Password == "" {
		return fmt.Errorf("%w lacks username or password", errSecret)
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
		e.named("the host's address", "check the host in --warehouse; a workgroup's name is known once it is available, and in its VPC needs DNS resolution")
		return false
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
	if !e.tried("warehouse", "port", "", "", err, at+" answers") {
		remedy := "let this machine in: the warehouse's security group must allow port " + strconv.Itoa(w.Port) + " from this machine's, and the two must be in one VPC or peered ones"
		if errors.Is(err, syscall.ECONNREFUSED) { // no security group does that: it is silent
			remedy = "nothing listens there: check host and port in --warehouse, and that the server runs; Redshift's port is 5439 unless it was given another one"
		}
		e.named("TCP "+strconv.Itoa(w.Port), remedy)
		return false
	}
	defer conn.Close()
	if w.TLS == nil {
		e.add(Finding{Area: "warehouse", Check: "TLS", Status: Warning, Detail: "the URL does without", Remedy: "say sslmode=verify-full in the URL, unless the server is on this machine"})
		return true
	}
	detail, err := w.TLS.handshake(ctx, conn, w.Host)
	if !e.tried("warehouse", "TLS", "", "", err, detail) {
		e.named(lackOfTLS(err))
		return false
	}
	return true
}

// limits says which limits of Redshift Serverless bear on mss there, and what the workgroup makes of them, where AWS has told.
func (e *examination) limits(w *Warehouse) {
	if !w.Serverless {
		return
	}
	network := "a workgroup that is not public is reached from its VPC only, through port " + strconv.Itoa(w.Port)
	query, capacity := "the workgroup's max_query_execution_time", ""
	if g := w.workgroup; g != nil {
		network = "this workgroup is not public: it is reached from its VPC only, through port " + strconv.Itoa(w.Port)
		if g.Public {
			network = "this workgroup is public: its security group alone says who reaches port " + strconv.Itoa(w.Port)
		}
		if g.MaxQuery != "" {
			query += ", here " + g.MaxQuery + " s"
		}
		capacity = fmt.Sprintf("this workgroup has %d RPUs at least", g.BaseCapacity)
		if g.MaxCapacity > 0 {
			capacity += fmt.Sprintf(" and %d at most", g.MaxCapacity)
		}
		capacity += "; "
	}
	for _, l := range [][2]string{
		{"network", network},
		{"resume", "a workgroup that was idle resumes at the first login: mss waits for up to 5 minutes"},
		{"queues", "there is no workload management and there are no parameter groups: a query's time is bounded by " + query},
		{"cost", capacity + "cost is bounded by the RPU-hour limit (deploy/mss.yaml sets one), and a load fails when that is used up"},
		{"maintenance", "there is no maintenance window: a version change can end a connection, after which mss loads again"},
		{"sessions", "2,000 connections at a time, one idle for an hour is closed: mss connects for a load, and closes"},
	} {
		e.add(Finding{Area: "warehouse", Check: "limit: " + l[0], Status: Note, Detail: l[1]})
	}
}

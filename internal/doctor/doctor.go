// Package doctor checks, before a run, that everything is there which a run needs: places and rights on them, the
// encryption key, the warehouse and a load that is rolled back, the catalog, the clock, the input.
//
// It tries each thing for real, with an object, an upload and a table of its own, which it removes. Each finding that is
// not green names the IAM action or the setting that is missing, and what to do. A check that cannot be made because
// another failed is said to be skipped, so that the first red line of an area is the one to mend.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mss/internal/blob"
	"mss/internal/policy"
)

// Status is the outcome of a check.
type Status string

// The outcomes.
const (
	OK      Status = "ok"
	Failed  Status = "failed"
	Warning Status = "warning" // a run works, but look at it
	Skipped Status = "skipped" // it could not be checked
	Note    Status = "note"    // nothing to check, but to know
)

// Finding is the outcome of one check.
type Finding struct {
	Area      string   `json:"area"`  // aws, raw, curated, analytics, temp, warehouse, catalog
	Check     string   `json:"check"` // list, write, …
	Status    Status   `json:"status"`
	Detail    string   `json:"detail,omitempty"`
	Missing   []string `json:"missing,omitempty"`   // IAM actions, grants or settings
	Resource  string   `json:"resource,omitempty"`  // what the missing actions are to be allowed on
	Statement string   `json:"statement,omitempty"` // of the policy that `mss policy` prints
	Remedy    string   `json:"remedy,omitempty"`
}

// Plan is what to check.
type Plan struct {
	Needs     policy.Needs
	Cloud     Cloud // nil: nothing of the configuration is on AWS
	Places    []Place
	Warehouse *Warehouse
	Catalog   Catalog // nil: none is kept
	Now       func() time.Time
}

// Place is a place of the lake.
type Place struct {
	Role    string // raw, curated, analytics or temp
	Bucket  blob.Bucket
	On      policy.Place                // where it is on S3, the zero value elsewhere
	Uploads func(context.Context) error // lists the unfinished uploads; nil where there are none
}

// Cloud is what is asked of AWS besides the places and the catalog.
type Cloud interface {
	Who(ctx context.Context) (arn, account string, now time.Time, err error)
	Secret(ctx context.Context, id string) (string, error)
	Workgroup(ctx context.Context, name string) (Workgroup, error)
	WorkgroupLogin(ctx context.Context, name, database string) (user string, err error)
	Cluster(ctx context.Context, name string) (host string, port int, err error)
	ClusterLogin(ctx context.Context, name, database, user string) (string, error)
}

// Workgroup is what Redshift Serverless says of a workgroup.
type Workgroup struct {
	ARN, Host       string
	Port            int
	Status          string
	BaseCapacity    int    // RPUs
	MaxCapacity     int    // 0 is no bound of the workgroup's own
	MaxQuery        string // seconds that a query may take; "" is unknown
	Public          bool
	EnhancedRouting bool
}

// Catalog tries everything that keeping the tables of a database needs, on a table of its own.
type Catalog interface {
	Probe(ctx context.Context, database string, tried func(action string, err error))
}

// Report are the findings, in the order in which they were made.
type Report struct {
	Findings []Finding `json:"findings"`
	OK       bool      `json:"ok"` // no finding is red
}

// Examine makes all checks. It returns when ctx ends, with what it found till then.
func Examine(ctx context.Context, p Plan) Report {
	e := &examination{Plan: p, policy: policy.Box(p.Needs)}
	for _, part := range []func(context.Context){e.cloud, e.input, e.places, e.warehouse, e.catalog} {
		if ctx.Err() == nil {
			part(ctx)
		}
	}
	if err := ctx.Err(); err != nil {
		e.add(Finding{Area: "doctor", Check: "all checks", Status: Failed, Detail: err.Error(), Remedy: "run it again"})
	}
	ok := !slices.ContainsFunc(e.found, func(f Finding) bool { return f.Status == Failed })
	return Report{Findings: e.found, OK: ok}
}

// examination is an Examine under way.
type examination struct {
	Plan
	policy policy.Document
	found  []Finding
}

// add notes a finding. A red one never goes without what is missing and what to do.
func (e *examination) add(f Finding) {
	if f.Status == Failed && len(f.Missing) == 0 {
		f.Missing = []string{f.Check + ", without an error"}
	}
	if f.Status == Failed && f.Remedy == "" {
		f.Remedy = "go by what it says; check the configuration, --profile, the region and the network"
	}
	e.found = append(e.found, f)
}

// last is the finding that was added last, for what its check knows better than add.
func (e *examination) last() *Finding { return &e.found[len(e.found)-1] }

func (e *examination) ok(area, check, format string, args ...any) {
	e.add(Finding{Area: area, Check: check, Status: OK, Detail: fmt.Sprintf(format, args...)})
}

func (e *examination) skip(area, check, why string) {
	e.add(Finding{Area: area, Check: check, Status: Skipped, Detail: why})
}

// tried records an attempt: green, or red with what is missing. action and resource are in IAM's words; "" where it is
// not IAM that decides. It tells whether the attempt went well.
func (e *examination) tried(area, check, action, resource string, err error, detail string) bool {
	if err == nil {
		e.ok(area, check, "%s", detail)
		return true
	}
	e.add(e.failure(area, check, action, resource, err))
	return false
}

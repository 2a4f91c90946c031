package doctor

import (
	"context"
	"time"
)

// skewLimit is how far a clock may be off: AWS refuses requests that are more than 5 minutes old, S3 15.
const skewLimit = 4 * time.Minute

// cloud finds out who one is.
func (e *examination) cloud(ctx context.Context) {
	if e.Cloud == nil {
		return
	}
	asked := e.Now()
	arn, account, now, err := e.Cloud.Who(ctx)
	if err != nil {
		f := e.failure("aws", "credentials", "", "", err)
		f.Missing = []string{"AWS credentials"}
		f.Remedy = "attach a role to the machine, or set AWS_PROFILE or --profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; " +
			"from a VPC without a way out STS needs an endpoint"
		e.add(f)
		return
	}
	e.ok("aws", "credentials", "%s", arn)
	if want := e.Needs.Account; want != "" && want != account {
		e.add(Finding{Area: "aws", Check: "account", Status: Warning, Detail: "these credentials are of account " + account + ", the configuration names " + want,
			Remedy: "check --profile, and the account in the warehouse's host, the key and the secret"})
	}
	e.clock("aws", asked, now)
}

// clock compares the time of a request, asked, with the server's. Zero is a server that did not say.
func (e *examination) clock(area string, asked, server time.Time) {
	if server.IsZero() {
		return
	}
	took := e.Now().Sub(asked)
	off := asked.Add(took / 2).Sub(server)
	if off.Abs() > skewLimit {
		e.add(Finding{Area: area, Check: "clock", Status: Failed, Missing: []string{"the right time"},
			Detail: "this machine's clock is off by " + off.Round(time.Second).String(), Remedy: "set it, and keep it by NTP (chrony): AWS refuses requests by their time"})
		return
	}
	e.ok(area, "clock", "within %s of the server's", (off.Abs() + time.Second).Truncate(time.Second))
}

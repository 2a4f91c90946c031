package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mss/internal/awsconfig"
	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/catalog/glue"
	"mss/internal/config"
	"mss/internal/doctor"
	"mss/internal/policy"
	"mss/internal/redshift"
)

// errUnwell ends a doctor that found something red.
var errUnwell = errors.New("something is missing: see the red lines above")

func (a *app) doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check every place, right and connection that a run needs",
		Long: `Check every place, right and connection that a run needs, before any run: who mss is on AWS; list, read, write,
delete and upload on each place, with an object that it removes again; the encryption; the warehouse's name, port,
certificate, login and grants, and a load that is rolled back, by COPY where loads copy; the catalog; the clock; the
input and its headers.

Each red line names the IAM action or setting that is missing, and the remedy. With a red line the exit status is 1.`,
		Example: `  mss doctor --config prod.yaml
  mss doctor --output json | jq '.findings[] | select(.status == "failed")'`,
		Args: cobra.NoArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			plan, err := a.examinationPlan(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			report := doctor.Examine(cmd.Context(), plan)
			if err := writeReport(a.stdout, cfg.Output, report); err != nil {
				return err
			}
			if !report.OK {
				return errUnwell
			}
			return nil
		}),
	}
}

func (a *app) examinationPlan(ctx context.Context, cfg *config.Config) (doctor.Plan, error) {
	plan := doctor.Plan{Needs: needsOf(cfg), Now: a.now}
	places, err := openPlaces(ctx, cfg, "")
	if err != nil {
		return plan, err
	}
	for _, p := range []struct {
		role, url string
		bucket    blob.Bucket
	}{
		{"raw", cfg.Raw, places.Raw}, {"curated", cfg.Curated, places.Curated}, {"analytics", cfg.Analytics, places.Analytics}, {"temp", cfg.Temp, places.Temp},
	} {
		place := doctor.Place{Role: p.role, Bucket: p.bucket, On: policy.ParsePlace(p.url)}
		if s3, ok := p.bucket.(*s3blob.Bucket); ok {
			place.Uploads = func(ctx context.Context) error {
				_, err := s3.Unfinished(ctx)
				return err
			}
		}
		plan.Places = append(plan.Places, place)
	}
	byCopy, err := copyOptions(cfg, places.Temp)
	if err != nil {
		return plan, err
	}
	plan.Warehouse = a.examinedWarehouse(cfg, byCopy)
	if plan.Needs.None() || otherStore(cfg, plan.Needs) {
		return plan, nil
	}
	cloud, err := openAWS(ctx, cfg, &plan.Needs)
	if err != nil {
		return plan, err
	}
	plan.Cloud = cloud
	// Credentials that are missing or wrong are a finding, not an error.
	_ = complete(ctx, cloud, &plan.Needs)
	if plan.Needs.Catalog {
		plan.Catalog, err = glue.Open(ctx, awsconfig.Options{Profile: cfg.Profile, Region: plan.Needs.Region})
	}
	return plan, err
}

// otherStore says whether nothing of the configuration is on AWS itself: an S3-compatible server has no STS to ask.
func otherStore(cfg *config.Config, n policy.Needs) bool {
	return cfg.S3Endpoint != "" && !n.Catalog && n.Secret == "" && n.Login == (policy.Login{}) && !strings.HasPrefix(cfg.Warehouse, "redshift")
}

// examinedWarehouse reads off the URL what there is to look at before a login.
func (a *app) examinedWarehouse(cfg *config.Config, byCopy redshift.CopyOptions) *doctor.Warehouse {
	w := &doctor.Warehouse{Name: redshift.MaskURL(cfg.Warehouse), Load: "create, delete, insert, count"}
	if byCopy.Copies(cfg.Warehouse) {
		w.Load = "create, delete, COPY by the role " + byCopy.Role + ", count"
	}
	w.Open = func(ctx context.Context) (doctor.Rehearsal, error) {
		if path, ok := strings.CutPrefix(cfg.Warehouse, "sqlite:"); ok && !exists(path) {
			return newFile(path), nil
		}
		opened, err := openWarehouse(ctx, cfg, redshift.Options{Log: a.log, ReadOnly: true, Copy: byCopy})
		if err != nil {
			return nil, err // not opened: a nil *Warehouse is no nil interface
		}
		return opened, nil
	}
	scheme, rest, server := strings.Cut(cfg.Warehouse, "://")
	if !server {
		return w // SQLite
	}
	authority, query, _ := strings.Cut(rest, "?")
	params, _ := url.ParseQuery(query)
	onRedshift := strings.HasPrefix(scheme, "redshift")
	w.Port = 5432
	if onRedshift {
		w.Port = 5439
	}
	if u, err := url.Parse("//" + authority); err == nil && scheme != "redshift-iam" { // whose host AWS knows
		w.Host = u.Hostname()
		if port, err := strconv.Atoi(u.Port()); err == nil {
			w.Port = port
		}
	}
	login, _ := policy.ParseLogin(cfg.Warehouse)
	_, _, serverless := policy.ServerlessHost(w.Host)
	w.Serverless = serverless || login.Workgroup != ""
	mode := params.Get("sslmode")
	if mode == "" && onRedshift {
		mode = "verify-full"
	}
	switch mode {
	case "verify-full":
		w.TLS = &doctor.TLS{Verify: true, RootCert: params.Get("sslrootcert")}
	case "verify-ca":
		w.TLS = &doctor.TLS{Verify: true, AnyHost: true, RootCert: params.Get("sslrootcert")}
	case "require": // with an authority the driver takes it for verify-ca, as libpq does
		root := params.Get("sslrootcert")
		w.TLS = &doctor.TLS{Verify: root != "", AnyHost: root != "", RootCert: root}
	}
	return w
}

func writeReport(w io.Writer, format string, r doctor.Report) error {
	if format == "json" {
		return writeDocument(w, r)
	}
	f, ok := w.(*os.File)
	colours := ok && term.IsTerminal(int(f.Fd()))
	t := newTable()
	t.AppendHeader(table.Row{"", "area", "check", "found"})
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 4, WidthMax: 100, WidthMaxEnforcer: wrapLines}})
	counts := map[doctor.Status]int{}
	for _, f := range r.Findings {
		counts[f.Status]++
		found := printable(f.Detail)
		if len(f.Missing) > 0 {
			found += "\nmissing: " + printable(strings.Join(f.Missing, "; "))
		}
		if f.Remedy != "" {
			found += "\nremedy: " + printable(f.Remedy)
		}
		t.AppendRow(table.Row{mark(f.Status, colours), f.Area, f.Check, found})
	}
	_, err := fmt.Fprintf(w, "%s\n%d ok, %d failed, %d warnings, %d skipped\n", t.Render(),
		counts[doctor.OK], counts[doctor.Failed], counts[doctor.Warning], counts[doctor.Skipped])
	return err
}

// wrapLines wraps each line of a text; the library would join them first.
func wrapLines(s string, width int) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = text.WrapSoft(line, width)
	}
	return strings.Join(lines, "\n")
}

// mark is a status in its colour.
func mark(s doctor.Status, colours bool) string {
	word := map[doctor.Status]string{doctor.OK: "ok", doctor.Failed: "FAILED", doctor.Warning: "warning", doctor.Skipped: "skipped", doctor.Note: "note"}[s]
	colour, ok := map[doctor.Status]text.Color{doctor.OK: text.FgGreen, doctor.Failed: text.FgRed, doctor.Warning: text.FgYellow}[s]
	if !colours || !ok {
		return word
	}
	return colour.Sprint(word)
}

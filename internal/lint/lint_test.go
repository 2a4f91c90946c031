// Package lint holds the shape of the code: which package may import which. ARCHITECTURE.md draws it.
package lint

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed lists, for each package, the packages of this module that its production files import.
var allowed = map[string][]string{
	"cmd/mss":                {"internal/cli"},
	"internal/cli":           {"internal/awsconfig", "internal/catalog", "internal/catalog/glue", "internal/doctor", "internal/doctor/awsprobe", "internal/policy", "internal/blob", "internal/blob/place", "internal/blob/s3blob", "internal/config", "internal/demodata", "internal/history", "internal/integrate", "internal/lake", "internal/lock", "internal/pipeline", "internal/redshift", "internal/report", "internal/schema"},
	"internal/config":        {"internal/redshift/iamurl"},
	"internal/pipeline":      {"internal/blob", "internal/history", "internal/integrate", "internal/kpi", "internal/lake", "internal/lock", "internal/metadata", "internal/report", "internal/schema"},
	"internal/history":       {"internal/blob", "internal/report"},
	"internal/lock":          {"internal/blob"},
	"internal/ledger":        {"internal/blob", "internal/ingest", "internal/lake"},
	"internal/demodata":      {"internal/blob"},
	"internal/metadata":      job,
	"internal/integrate":     job,
	"internal/kpi":           append([]string{"internal/kpi/state"}, job...),
	"internal/kpi/state":     {"internal/schema"},
	"internal/ingest":        {"internal/blob", "internal/csvio", "internal/report", "internal/schema"},
	"internal/lake":          {"internal/blob", "internal/report", "internal/schema"},
	"internal/quality":       {"internal/blob", "internal/csvio", "internal/lake"},
	"internal/csvio":         {"internal/schema"},
	"internal/parquetio":     {"internal/schema"},
	"internal/redshift":      {"internal/blob", "internal/kpi", "internal/parquetio", "internal/redshift/iamurl", "internal/redshift/identity", "internal/report", "internal/schema"},
	"internal/blob":          {},
	"internal/blob/fileblob": {"internal/blob"},
	"internal/blob/memblob":  {"internal/blob"},
	"internal/blob/s3blob":   {"internal/awsconfig", "internal/blob"},
	"internal/blob/place":    {"internal/blob", "internal/blob/fileblob", "internal/blob/s3blob"},
	"internal/awsconfig":     {},
	"internal/schema":        {},
	"internal/report":        {},

	"internal/redshift/iamurl":   {},
	"internal/redshift/identity": {"internal/awsconfig", "internal/redshift/iamurl"},
	"internal/catalog":           {"internal/blob", "internal/lake", "internal/schema"},
	"internal/catalog/glue":      {"internal/awsconfig", "internal/catalog"},
	"internal/policy":            {"internal/catalog", "internal/redshift/iamurl"},
	"internal/doctor":            {"internal/blob", "internal/catalog", "internal/csvio", "internal/policy", "internal/schema"},
	"internal/doctor/awsprobe":   {"internal/awsconfig", "internal/doctor"},
}

// job lists what a job may import: never another job.
var job = []string{"internal/blob", "internal/csvio", "internal/ingest", "internal/lake", "internal/ledger", "internal/parquetio", "internal/quality", "internal/report", "internal/schema"}

// testSupport lists packages that only tests import.
var testSupport = []string{"internal/blob/blobtest", "internal/kpi/kpitest", "internal/blob/s3test", "internal/redshift/pgtest", "internal/redshift/awstest", "internal/redshift/rstest", "internal/mototest", "internal/policy/iamtest", "internal/oracle", "internal/e2e", "internal/lint", "internal/bench"}

// only lists who may import a library that must stay behind a boundary.
var only = map[string][]string{
	"github.com/aws/":        {"internal/awsconfig", "internal/blob/s3blob", "internal/catalog/glue", "internal/doctor/awsprobe", "internal/redshift/identity"},
	"github.com/jackc/pgx/":  {"internal/redshift"},
	"modernc.org/sqlite":     {"internal/redshift"},
	"github.com/spf13/cobra": {"internal/cli"},
	"github.com/parquet-go/": {"internal/parquetio"},
}

// TestImports reads the sources, not `go list`: that would pass from the test cache when they change.
func TestImports(t *testing.T) {
	root := filepath.Join("..", "..")
	module := "mss/"
	files := 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (strings.HasPrefix(e.Name(), ".") && path != root || e.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		support := slices.Contains(testSupport, pkg)
		if _, ok := allowed[pkg]; !ok && !support {
			t.Errorf("%s: package %s is not in the table of this test, and so in no drawing", path, pkg)
		}
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			if mine, ok := strings.CutPrefix(name, module); ok && !support && !slices.Contains(allowed[pkg], mine) {
				t.Errorf("%s: %s must not import %s", path, pkg, mine)
			}
			for lib, who := range only {
				if strings.HasPrefix(name, lib) && !support && !slices.Contains(who, pkg) {
					t.Errorf("%s: only %v may import %s", path, who, name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 30 {
		t.Fatalf("only %d files were read", files)
	}
}

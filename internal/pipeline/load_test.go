package pipeline_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"mss/internal/blob"
	"mss/internal/kpi"
	"mss/internal/pipeline"
	"mss/internal/schema"
)

// dying is a warehouse whose process is killed when the object of a load is in the temporary place.
type dying struct {
	temp blob.Bucket
	seen *kpi.Fence
}

func (d dying) Load(ctx context.Context, _ []schema.KPI, opt kpi.LoadOptions) (bool, error) {
	*d.seen = opt.Fence
	_, err := d.temp.Write(ctx, kpi.TempFolder(opt.Fence.Run)+"kpi.parquet", []byte("rows"), blob.Cond{})
	return false, errors.Join(err, errors.New("killed"))
}

func (dying) Close() error { return nil }

// TestObjectsOfDeadLoads deletes what a dead run would have loaded, and nothing of which no record says that it is dead.
func TestObjectsOfDeadLoads(t *testing.T) {
	s := newSite(t)
	s.setRaw(t, small("t,A,n,1,2,g\n"))
	s.must(t, choices{})
	const other = "redshift-tmp/somebody/kpi.parquet"
	if _, err := s.temp.Write(t.Context(), other, nil, blob.Cond{}); err != nil {
		t.Fatal(err)
	}
	var fence kpi.Fence
	p := s.pipeline(choices{full: true}, nil)
	p.OpenWarehouse = func(context.Context, *slog.Logger) (pipeline.Warehouse, error) { return dying{s.temp, &fence}, nil }
	if _, err := p.Run(t.Context(), "dead", pipeline.All); err == nil {
		t.Fatal("a run whose load fails")
	}
	if fence.Run != "dead" || fence.Lake == "" || fence.Token != 2 {
		t.Errorf("the fence of the second run on the lake is %+v", fence)
	}
	if got := len(everything(t, s.temp)); got != 2 {
		t.Fatalf("%d objects, want 2", got)
	}
	fixes, err := s.pipeline(choices{}, nil).Clean(t.Context(), "look", true)
	if err != nil || len(fixes) != 1 || fixes[0].Object != "redshift-tmp/dead/kpi.parquet" || len(everything(t, s.temp)) != 2 {
		t.Errorf("clean --dry-run: %v, %v", fixes, err)
	}
	s.must(t, choices{})
	if got := slices.Collect(maps.Keys(everything(t, s.temp))); !slices.Equal(got, []string{other}) {
		t.Errorf("the next run leaves %v", got)
	}
}

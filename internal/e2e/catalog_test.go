package e2e

import (
	"strings"
	"testing"

	"mss/internal/mototest"
)

// TestRunDescribesTheLake has a run keep the tables of the lake in a Glue Data Catalog.
func TestRunDescribesTheLake(t *testing.T) {
	s := newS3Site(t)
	s.put(t, plenty(30))
	aws := mototest.New(t)
	t.Setenv("AWS_ENDPOINT_URL_GLUE", aws.URL)
	s.must(t, "run", "all", "--catalog", "glue")
	show := func() string { return s.must(t, "catalog", "show").stdout }
	for _, want := range []string{"processed_songs_table", "processed_users_table", "dim-music-streaming", "dim_music_streaming", "kpi_table"} {
		if out := show(); !strings.Contains(out, want) || strings.Contains(out, "create") || strings.Contains(out, "update") {
			t.Errorf("%s:\n%s", want, out)
		}
	}
	folder := newSite(t, plenty(3))
	folder.fails(t, 2, []string{"s3://", "--catalog none"}, "run", "all", "--catalog", "glue")
}

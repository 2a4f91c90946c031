package blobtest

import (
	"testing"

	"mss/internal/blob"
)

func testPublishConditions(t *testing.T, b blob.Bucket) {
	const key = "mss-transformed/a.csv.parquet"
	try := func(what string, cond blob.Cond, data string, want error) blob.Object {
		t.Helper()
		s := stage(t, b, key, []byte(data))
		obj, err := s.Publish(ctx, cond)
		if want == nil && err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if want != nil {
			wantError(t, what, err, want)
		}
		if err := s.Abort(ctx); err != nil {
			t.Errorf("%s: abort: %v", what, err)
		}
		noLeftovers(t, b)
		return obj
	}
	try("IfMatch on nothing", blob.Cond{IfMatch: "0-0-0"}, "x", blob.ErrPrecondition)
	one := try("IfNone on nothing", blob.Cond{IfNone: true}, "one", nil)
	try("IfNone on an object", blob.Cond{IfNone: true}, "x", blob.ErrPrecondition)
	wantContent(t, b, key, []byte("one"))
	two := try("IfMatch", blob.Cond{IfMatch: one.ETag}, "two", nil)
	try("IfMatch with an old ETag", blob.Cond{IfMatch: one.ETag}, "x", blob.ErrPrecondition)
	wantContent(t, b, key, []byte("two"))
	try("no condition", blob.Cond{}, "three", nil)
	try("IfMatch with another old ETag", blob.Cond{IfMatch: two.ETag}, "x", blob.ErrPrecondition)
	wantContent(t, b, key, []byte("three"))
}

func testDeleteVersion(t *testing.T, b blob.Bucket) {
	one := write(t, b, "d/x", []byte("1"))
	two := write(t, b, "d/x", []byte("22"))
	wantError(t, "delete a version that was replaced", b.DeleteVersion(ctx, one), blob.ErrPrecondition)
	wantContent(t, b, "d/x", []byte("22"))
	if err := b.DeleteVersion(ctx, two); err != nil {
		t.Error(err)
	}
	if err := b.DeleteVersion(ctx, two); err != nil {
		t.Errorf("delete a version that is gone: %v", err)
	}
	if got := keysOf(t, b, ""); len(got) != 0 {
		t.Errorf("listed %q, want none", got)
	}
}

// testUnfinished leaves staged objects behind, as a process does that is killed.
func testUnfinished(t *testing.T, b blob.Bucket) {
	write(t, b, "d/keep", []byte("old"))
	var left []blob.Staged
	for _, content := range [][]byte{noise(1, 100), noise(2, 9<<20)} {
		left = append(left, stage(t, b, "d/keep", content))
	}
	all, err := b.Unfinished(ctx)
	if err != nil || len(all) != len(left) {
		t.Fatalf("unfinished %v, %v; want %d", all, err, len(left))
	}
	for _, u := range all {
		if u.Key != "d/keep" && u.Key != "" || u.Key == "" && u.Owner == "" || u.ID == "" {
			t.Errorf("unfinished %+v", u)
		}
		for range 2 {
			if err := b.Discard(ctx, u); err != nil {
				t.Errorf("discard %+v: %v", u, err)
			}
		}
	}
	noLeftovers(t, b)
	for _, s := range left {
		// The answer is not looked at: versitygw, unlike S3, says that the upload was completed, but leaves the object alone.
		_, _ = s.Publish(ctx, blob.Cond{})
		_ = s.Abort(ctx)
	}
	wantContent(t, b, "d/keep", []byte("old"))
	if got := keysOf(t, b, ""); len(got) != 1 {
		t.Errorf("listed %q, want d/keep", got)
	}
}

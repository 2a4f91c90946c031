package s3blob_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mss/internal/blob"
	"mss/internal/blob/s3blob"
	"mss/internal/blob/s3test"
)

var ctx = context.Background()

func noise(n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{7}).Read(data)
	return data
}

// throughProxy returns a place behind a proxy, and the same place without it.
func throughProxy(t *testing.T) (behind, direct *s3blob.Bucket, p *proxy) {
	t.Helper()
	srv := s3test.New(t)
	srv.Setenv(t)
	p = newProxy(t, srv, httptest.NewServer)
	return open(t, srv.URL+"/p", s3blob.Options{Endpoint: p.URL}), open(t, srv.URL+"/p", s3blob.Options{}), p
}

func stage(t *testing.T, b blob.Bucket, key string, data []byte) blob.Staged {
	t.Helper()
	s, err := b.Stage(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

func wantNothing(t *testing.T, b *s3blob.Bucket) {
	t.Helper()
	left, err := b.Unfinished(ctx)
	found, lerr := b.List(ctx, "")
	if err != nil || lerr != nil || len(left) != 0 || len(found) != 0 {
		t.Errorf("pending %q %v, objects %v %v; want none", left, err, found, lerr)
	}
}

// A stream and a ranged read go on where the connection broke, and do not fetch again what they have.
func TestBrokenBodyIsResumed(t *testing.T) {
	behind, direct, p := throughProxy(t)
	data := noise(3 << 20)
	obj, err := stage(t, direct, "raw/x.csv", data).Publish(ctx, blob.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := behind.Open(ctx, obj)
	if err != nil {
		t.Fatal(err)
	}
	p.breaks(func(act string, n int) fault {
		if act == "GET" && n <= 3 {
			return half
		}
		return pass
	})
	s, err := r.Stream(ctx, 0, obj.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("streamed %d of %d bytes, %v", len(got), len(data), err)
	}
	starts := map[string]int{}
	for _, q := range p.requests("GET") {
		starts[q.Header.Get("Range")]++
	}
	if len(starts) < 4 {
		t.Errorf("asked for the ranges %v; want others after a break", starts)
	}
	p.breaks(on("GET", 1, half))
	at := make([]byte, 1<<20)
	if n, err := r.ReadAt(at, 5); n != len(at) || err != nil || !bytes.Equal(at, data[5:5+len(at)]) {
		t.Errorf("ReadAt: %d bytes, %v", n, err)
	}

	// A server that always breaks off ends in an error, never in a short read without one.
	p.breaks(func(act string, _ int) fault {
		if act == "GET" {
			return before
		}
		return pass
	})
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	if n, err := r.ReadAt(at, 0); err == nil || !strings.Contains(err.Error(), "raw/x.csv") {
		t.Errorf("ReadAt without a server: %d bytes, error %v", n, err)
	}
}

func TestFailedPartFailsTheObject(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	behind, direct, p := throughProxy(t)
	for name, f := range map[string]fault{"refused": error500, "cut off": before, "answer lost": after} {
		p.breaks(on("part", 2, f))
		s, err := behind.Stage(ctx, "d/x.parquet")
		if err != nil {
			t.Fatal(err)
		}
		for range 40 { // goes on long after the failure
			if _, err = s.Write(make([]byte, 1<<20)); err != nil {
				break
			}
		}
		cerr := s.Close()
		if cerr == nil || err != nil && cerr.Error() != err.Error() || !strings.Contains(cerr.Error(), "d/x.parquet") {
			t.Errorf("%s: Write %v, Close %v; want the failure, kept", name, err, cerr)
		}
		if _, err := s.Publish(ctx, blob.Cond{}); err == nil {
			t.Errorf("%s: published without part 2", name)
		}
		if err := s.Abort(ctx); err != nil {
			t.Errorf("%s: abort: %v", name, err)
		}
		wantNothing(t, direct)
	}
	// Where the SDK may try again, one broken part is no failure.
	t.Setenv("AWS_MAX_ATTEMPTS", "3")
	again := open(t, behind.String(), s3blob.Options{Endpoint: p.URL})
	p.breaks(on("part", 1, before))
	data := noise(9 << 20)
	if _, err := stage(t, again, "d/x.parquet", data).Publish(ctx, blob.Cond{}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := direct.ReadAll(ctx, "d/x.parquet"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("stored %d bytes, %v", len(got), err)
	}
}

// A run that is interrupted while parts go up leaves none of them.
func TestAbortAfterCancel(t *testing.T) {
	behind, direct, _ := throughProxy(t)
	stop, cancel := context.WithCancel(ctx)
	s, err := behind.Stage(stop, "d/x.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(noise(20 << 20)); err != nil {
		t.Fatal(err)
	}
	if left, err := direct.Unfinished(ctx); err != nil || len(left) != 1 || left[0].Key != "d/x.parquet" {
		t.Errorf("while it is staged: pending %q, %v", left, err)
	}
	cancel()
	if err := s.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	if err := s.Abort(stop); err != nil {
		t.Errorf("Abort: %v", err)
	}
	wantNothing(t, direct)
}

// The answer to a Complete gets lost; the tries that follow are told that there is no such upload.
func TestLostAnswerOfPublish(t *testing.T) {
	behind, direct, p := throughProxy(t)
	data := noise(9 << 20)
	s := stage(t, behind, "d/x.parquet", data)
	p.breaks(on("complete", 1, after))
	obj, err := s.Publish(ctx, blob.Cond{})
	if err != nil {
		t.Fatalf("the object is there, but Publish says: %v", err)
	}
	there, err := direct.Stat(ctx, "d/x.parquet")
	if err != nil || there.ETag != obj.ETag || there.Size != obj.Size {
		t.Errorf("published %+v, there is %+v, %v", obj, there, err)
	}
	// Without its having been carried out it is an error, and the old object stays.
	s = stage(t, behind, "d/x.parquet", noise(100))
	p.breaks(func(act string, _ int) fault {
		if act == "complete" {
			return before
		}
		return pass
	})
	quick, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	if obj, err := s.Publish(quick, blob.Cond{}); err == nil {
		t.Errorf("published %+v without a server", obj)
	}
	p.breaks(nil)
	if err := s.Abort(ctx); err != nil {
		t.Error(err)
	}
	if now, err := direct.Stat(ctx, "d/x.parquet"); err != nil || now.ETag != there.ETag {
		t.Errorf("the old object is %+v, %v", now, err)
	}
	if left, err := direct.Unfinished(ctx); err != nil || len(left) != 0 {
		t.Errorf("pending %q, %v", left, err)
	}
}

func TestLostAnswerOfConditionalWrite(t *testing.T) {
	behind, direct, p := throughProxy(t)
	for name, f := range map[string]fault{"carried out": after, "not carried out": before, "server error": error500} {
		p.breaks(on("PUT", 1, f))
		one, err := behind.Write(ctx, "_mss/lock", []byte("mine "+name), blob.Cond{IfNone: true})
		if err != nil {
			t.Errorf("%s: IfNone: %v", name, err)
			continue
		}
		p.breaks(on("PUT", 1, f))
		two, err := behind.Write(ctx, "_mss/lock", []byte("mine again "+name), blob.Cond{IfMatch: one.ETag})
		if err != nil {
			t.Errorf("%s: IfMatch: %v", name, err)
			continue
		}
		if data, obj, err := direct.ReadAll(ctx, "_mss/lock"); err != nil || string(data) != "mine again "+name || obj.ETag != two.ETag {
			t.Errorf("%s: there is %q, %v", name, data, err)
		}
		// The connection breaks, and another's object stands there: that write is lost.
		p.breaks(on("PUT", 1, before))
		if _, err := behind.Write(ctx, "_mss/lock", []byte("late"), blob.Cond{IfMatch: one.ETag}); !errors.Is(err, blob.ErrPrecondition) {
			t.Errorf("%s: a late IfMatch: %v", name, err)
		}
		p.breaks(on("PUT", 1, before))
		if _, err := behind.Write(ctx, "_mss/lock", []byte("late"), blob.Cond{IfNone: true}); !errors.Is(err, blob.ErrPrecondition) {
			t.Errorf("%s: a late IfNone: %v", name, err)
		}
		if err := direct.Delete(ctx, "_mss/lock"); err != nil {
			t.Fatal(err)
		}
	}
}

// What goes up carries a checksum, so that the server can refuse bytes that changed on the way.
func TestUploadsCarryChecksums(t *testing.T) {
	behind, _, p := throughProxy(t)
	p.breaks(nil)
	if _, err := behind.Write(ctx, "doc", []byte("x"), blob.Cond{}); err != nil {
		t.Fatal(err)
	}
	if _, err := stage(t, behind, "big", noise(17<<20)).Publish(ctx, blob.Cond{}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"PUT", "part"} {
		all := p.requests(a)
		for _, r := range all {
			if r.Header.Get("X-Amz-Checksum-Crc32") == "" && r.Header.Get("X-Amz-Trailer") == "" {
				t.Errorf("%s without a checksum: %v", a, r.Header)
			}
		}
		if len(all) == 0 {
			t.Errorf("no %s was seen", a)
		}
	}
	if n := len(p.requests("part")); n != 4 {
		t.Errorf("17 MiB went up in %d parts, want 4", n)
	}
}

// Over TLS the SDK sends checksums as trailers of an unsigned payload; AWS_CA_BUNDLE must be honoured.
func TestOverTLS(t *testing.T) {
	srv := s3test.New(t)
	srv.Setenv(t)
	p := newProxy(t, srv, httptest.NewTLSServer)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})
	if err := os.WriteFile(bundle, cert, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AWS_ENDPOINT_URL", p.URL)
	t.Setenv("AWS_CA_BUNDLE", "")
	_, err := open(t, srv.URL, s3blob.Options{}).List(ctx, "")
	if err == nil || !strings.Contains(err.Error(), "AWS_CA_BUNDLE") {
		t.Errorf("an unknown certificate: %v, want the remedy", err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	b := open(t, srv.URL, s3blob.Options{})
	data := noise(9<<20 + 1)
	obj, err := stage(t, b, "x/y", data).Publish(ctx, blob.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := b.ReadAll(ctx, "x/y"); err != nil || !bytes.Equal(got, data) || obj.Size != int64(len(data)) {
		t.Errorf("stored %d bytes, %v", len(got), err)
	}
	if _, err := b.Write(ctx, "doc", []byte("small"), blob.Cond{IfNone: true}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := b.ReadAll(ctx, "doc"); err != nil || string(got) != "small" {
		t.Errorf("stored %q, %v", got, err)
	}
}

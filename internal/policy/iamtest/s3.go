package iamtest

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"strings"

	"mss/internal/mototest"
)

const encryptionHeader = "X-Amz-Server-Side-Encryption"

// s3Asks are what a request in path style needs: /bucket/key.
func (p *Proxy) s3Asks(r *http.Request) []ask {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	on := func(action string) ask { return ask{action: action, resource: "arn:aws:s3:::" + bucket + "/" + key} }
	whole := func(action string) ask { return ask{action: action, resource: "arn:aws:s3:::" + bucket} }
	kms := r.Header.Get(encryptionHeader) == "aws:kms"
	switch {
	case key == "" && r.Method == http.MethodPost && q.Has("delete"):
		return deletes(bucket, body(r))
	case key == "" && q.Has("uploads"):
		return []ask{whole("s3:ListBucketMultipartUploads")}
	case key == "":
		list := whole("s3:ListBucket")
		if q.Has("prefix") {
			list.context = map[string][]string{"s3:prefix": {q.Get("prefix")}}
		}
		return []ask{list}
	case q.Has("uploadId") && r.Method == http.MethodDelete:
		return []ask{on("s3:AbortMultipartUpload")}
	case q.Has("uploadId"): // a part, or the completion, which reads the parts again
		asks := []ask{on("s3:PutObject")}
		if p.underKey(q.Get("uploadId")) {
			asks = append(asks, kmsAsk("kms:GenerateDataKey"), kmsAsk("kms:Decrypt"))
		}
		return asks
	case r.Method == http.MethodPut || r.Method == http.MethodPost:
		asks := []ask{on("s3:PutObject")}
		if r.Header.Get("If-Match") != "" {
			asks = append(asks, on("s3:GetObject"))
		}
		if kms {
			asks = append(asks, kmsAsk("kms:GenerateDataKey"))
		}
		return asks
	case r.Method == http.MethodDelete:
		return []ask{on("s3:DeleteObject")}
	}
	asks := []ask{on("s3:GetObject")}
	if p.underKey(r.URL.Path) {
		asks = append(asks, kmsAsk("kms:Decrypt"))
	}
	return asks
}

func kmsAsk(action string) ask {
	return ask{action: action, resource: KeyARN, context: map[string][]string{
		"kms:ViaService": {"s3." + mototest.Region + ".amazonaws.com"}, "kms:ResourceAliases": {KeyAlias},
	}}
}

func deletes(bucket string, body []byte) []ask {
	var in struct {
		Object []struct{ Key string }
	}
	_ = xml.Unmarshal(body, &in)
	var asks []ask
	for _, o := range in.Object {
		asks = append(asks, ask{action: "s3:DeleteObject", resource: "arn:aws:s3:::" + bucket + "/" + o.Key})
	}
	return asks
}

func (p *Proxy) underKey(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.encrypted[what]
}

func (p *Proxy) encrypt(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.encrypted[what] = true
}

// seen looks at S3's answers: it remembers what is under the key, says so of objects that are, and hides from those who
// may not list the bucket that an object is missing.
func (p *Proxy) seen(resp *http.Response) error {
	r := resp.Request
	path := r.URL.Path
	kms := r.Header.Get(encryptionHeader) == "aws:kms"
	switch {
	case resp.StatusCode == http.StatusOK && kms && r.URL.Query().Has("uploads"):
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		resp.Body = io.NopCloser(bytes.NewReader(data))
		var out struct{ UploadId string }
		_ = xml.Unmarshal(data, &out)
		p.encrypt(out.UploadId)
	case resp.StatusCode == http.StatusOK && kms:
		p.encrypt(path)
	case resp.StatusCode == http.StatusOK && p.underKey(path):
		resp.Header.Set(encryptionHeader, "aws:kms")
		resp.Header.Set(encryptionHeader+"-Aws-Kms-Key-Id", KeyARN)
	case resp.StatusCode == http.StatusNotFound && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		bucket, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if !p.allowed(ask{action: "s3:ListBucket", resource: "arn:aws:s3:::" + bucket}) {
			resp.StatusCode = http.StatusForbidden
			data := []byte(`<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
			if r.Method == http.MethodHead {
				data = nil
			}
			resp.Body.Close()
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
			resp.Header.Del("Content-Length")
		}
	}
	return nil
}

package s3blob

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"mss/internal/blob"
)

// Stage begins a multipart upload, though no request is made before the first part is full or Close. Parts go
// up side by side with a CRC32 each, which the server verifies.
func (b *Bucket) Stage(ctx context.Context, key string) (blob.Staged, error) {
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("write to %s: %w", b, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, b.fail(ctx, "write", key, err)
	}
	s := &staged{b: b, key: key}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s, nil
}

type staged struct {
	b      *Bucket
	key    string
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	buf    *[]byte // the part being filled
	filled int
	size   int64 // of the whole object
	upload *string
	closed bool
	done   bool // completed or aborted

	mu    sync.Mutex
	err   error // the first one
	cut   bool  // a part broke off, and may still be on its way in the server
	parts []types.CompletedPart
}

// partSize doubles every 900 parts: 10,000 of them hold the 5 TiB that an object may have, and none has more than 5 GiB before that.
func partSize(base int64, number int) int64 { return min(base<<((number-1)/900), 5<<30) }

func (s *staged) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// stop keeps the first error and ends the uploads under way.
func (s *staged) stop(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.cancel()
	return s.err
}

// Write copies p into the part being filled, and waits only when too many parts are under way.
func (s *staged) Write(p []byte) (n int, err error) {
	if s.closed {
		return 0, s.stop(s.b.fail(s.ctx, "write", s.key, os.ErrClosed))
	}
	for len(p) > 0 {
		if err := s.failed(); err != nil {
			return n, err
		}
		if s.buf == nil {
			s.buf = s.b.buffer(partSize(s.b.part, len(s.parts)+1))
		}
		m := copy((*s.buf)[s.filled:], p)
		s.filled += m
		s.size += int64(m)
		n, p = n+m, p[m:]
		if s.filled == len(*s.buf) {
			if err := s.send(); err != nil {
				return n, s.stop(err)
			}
		}
	}
	return n, nil
}

// send begins the upload of the filled part, once there is a slot for it.
func (s *staged) send() error {
	if s.upload == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	select {
	case s.b.uploads <- struct{}{}:
	case <-s.ctx.Done():
		return s.b.fail(s.ctx, "write", s.key, s.ctx.Err())
	}
	buf, data := s.buf, []byte(nil)
	if buf != nil {
		data = (*buf)[:s.filled]
	}
	s.buf, s.filled = nil, 0
	s.mu.Lock()
	s.parts = append(s.parts, types.CompletedPart{PartNumber: aws.Int32(int32(len(s.parts) + 1))})
	number := len(s.parts)
	s.mu.Unlock()
	s.wg.Go(func() {
		defer func() {
			s.b.recycle(buf)
			<-s.b.uploads
		}()
		if err := s.put(number, data); err != nil {
			s.stop(err)
		}
	})
	return nil
}

func (s *staged) create() error {
	if err := s.ctx.Err(); err != nil {
		return s.b.fail(s.ctx, "write", s.key, err)
	}
	ctx, cancel := grace(s.ctx) // an upload whose id is lost could not be aborted
	defer cancel()
	in := &s3.CreateMultipartUploadInput{
		Bucket: &s.b.bucket, Key: s.b.key(s.key), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	}
	s.b.sse.create(in)
	out, err := s.b.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return s.b.fail(ctx, "write", s.key, err)
	}
	s.upload = out.UploadId
	return nil
}

func (s *staged) put(number int, data []byte) error {
	var sum [4]byte
	crc := crc32.ChecksumIEEE(data)
	sum[0], sum[1], sum[2], sum[3] = byte(crc>>24), byte(crc>>16), byte(crc>>8), byte(crc)
	checksum := base64.StdEncoding.EncodeToString(sum[:])
	out, err := s.b.client.UploadPart(s.ctx, &s3.UploadPartInput{
		Bucket: &s.b.bucket, Key: s.b.key(s.key), UploadId: s.upload, PartNumber: aws.Int32(int32(number)),
		Body: bytes.NewReader(data), ChecksumCRC32: &checksum,
	})
	if err != nil {
		s.mu.Lock()
		s.cut = true
		s.mu.Unlock()
		return s.b.fail(s.ctx, "write", s.key, fmt.Errorf("part %d: %w", number, err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[number-1].ETag, s.parts[number-1].ChecksumCRC32 = out.ETag, &checksum
	return nil
}

// Close sends the last part, which is the only and empty one of an empty object, and waits for all.
func (s *staged) Close() error {
	if s.closed {
		return s.failed()
	}
	s.closed = true
	if s.failed() == nil && (s.filled > 0 || len(s.parts) == 0) {
		if err := s.send(); err != nil {
			s.stop(err)
		}
	}
	s.wg.Wait()
	if s.failed() == nil && s.ctx.Err() != nil {
		s.stop(s.b.fail(s.ctx, "write", s.key, s.ctx.Err()))
	}
	return s.failed()
}

// Publish completes the upload. The server checks the parts' checksums once more.
func (s *staged) Publish(ctx context.Context, cond blob.Cond) (blob.Object, error) {
	err := s.failed()
	switch {
	case err != nil:
		return blob.Object{}, err
	case ctx.Err() != nil:
		err = ctx.Err()
	case s.done:
		err = errors.New("published or aborted already")
	case !s.closed:
		err = errors.New("not closed yet")
	}
	if err != nil {
		return blob.Object{}, s.b.fail(ctx, "publish", s.key, err)
	}
	defer s.cancel()
	send, cancel := grace(ctx)
	defer cancel()
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &s.b.bucket, Key: s.b.key(s.key), UploadId: s.upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: s.parts},
	}
	if cond.IfMatch != "" {
		in.IfMatch = quote(cond.IfMatch)
	}
	if cond.IfNone {
		in.IfNoneMatch = aws.String("*")
	}
	out, err := s.b.client.CompleteMultipartUpload(send, in)
	if err == nil && s.ours(unquote(out.ETag), aws.ToString(out.ChecksumCRC32)) {
		s.done = true
		return blob.Object{Key: s.key, Size: s.size, ETag: unquote(out.ETag)}, nil
	}
	if err == nil {
		// Some servers say that an upload that is gone was completed before, whatever the object is now.
		obj, err := s.find(ctx)
		switch {
		case err == nil:
			s.found(ctx)
		case errors.Is(err, blob.ErrNotExist):
			err = fmt.Errorf("publish s3://%s/%s%s: another object is there; %s", s.b.bucket, s.b.prefix, s.key, remedy("NoSuchUpload", "publish"))
		default:
			err = s.b.fail(ctx, "publish", s.key, err)
		}
		return obj, err
	}
	// The first try may have done it, and its answer got lost; the second then finds no upload, or an object that is its own.
	r := replyOf(err)
	lost := conditionLost(r, cond)
	if r.unclear() || lost || r.code == "NoSuchUpload" {
		if obj, serr := s.find(context.WithoutCancel(ctx)); serr == nil {
			s.found(ctx)
			return obj, nil
		}
	}
	if lost {
		return blob.Object{}, &failure{fmt.Sprintf("publish s3://%s/%s%s: %v", s.b.bucket, s.b.prefix, s.key, blob.ErrPrecondition),
			[]error{blob.ErrPrecondition, err}, ""}
	}
	return blob.Object{}, s.b.fail(ctx, "publish", s.key, err)
}

// found ends the upload when the object that is there has our bytes. It may be the one of before, and the upload still wait.
func (s *staged) found(ctx context.Context) {
	s.done = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	// Mostly it is gone, as it should be. Should this fail, the upload costs a little until somebody aborts it.
	_, _ = s.b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.b.bucket, Key: s.b.key(s.key), UploadId: s.upload})
}

// find returns the object under the key if it is made of exactly our parts.
func (s *staged) find(ctx context.Context) (blob.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := s.b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &s.b.bucket, Key: s.b.key(s.key), ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return blob.Object{}, err
	}
	if aws.ToInt64(out.ContentLength) != s.size || !s.ours(unquote(out.ETag), aws.ToString(out.ChecksumCRC32)) {
		return blob.Object{}, blob.ErrNotExist
	}
	return blob.Object{Key: s.key, Size: s.size, ETag: unquote(out.ETag), ModTime: aws.ToTime(out.LastModified)}, nil
}

// ours says whether an object with this ETag and checksum is made of our parts.
func (s *staged) ours(etag, crc string) bool {
	wantTag, wantSum := s.expected()
	return etag == wantTag || crc == wantSum
}

// expected is what S3 makes of the parts: the MD5 of their MD5s, and the CRC32 of their CRC32s. Under KMS
// ETags are no MD5s, and the CRC decides.
func (s *staged) expected() (etag, crc string) {
	md, sum := md5.New(), crc32.NewIEEE()
	for _, p := range s.parts {
		raw, _ := hex.DecodeString(unquote(p.ETag))
		md.Write(raw)
		raw, _ = base64.StdEncoding.DecodeString(aws.ToString(p.ChecksumCRC32))
		sum.Write(raw)
	}
	return fmt.Sprintf("%x-%d", md.Sum(nil), len(s.parts)),
		fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(sum.Sum(nil)), len(s.parts))
}

// Abort removes the parts that are on the server. It has 30 s of its own, since it runs when ctx has ended.
func (s *staged) Abort(ctx context.Context) error {
	if s.done {
		return nil
	}
	s.stop(s.b.fail(s.ctx, "write", s.key, errors.New("aborted")))
	s.wg.Wait() // a part that came after the abort would stay
	s.closed = true
	s.b.recycle(s.buf)
	s.buf = nil
	if s.upload != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if err := s.remove(ctx); err != nil {
			return s.b.fail(ctx, "abort", s.key, err)
		}
	}
	s.done = true
	return nil
}

// remove aborts the upload. A part that was cut off here may still arrive there and bring the upload back, as S3 warns;
// so it is aborted again until it is gone twice in a row.
func (s *staged) remove(ctx context.Context) error {
	for seen, try := 0, 1; ; try++ {
		_, err := s.b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
			Bucket: &s.b.bucket, Key: s.b.key(s.key), UploadId: s.upload,
		})
		r := replyOf(err)
		switch {
		case err == nil:
			seen = 0
		case r.code == "NoSuchUpload":
			seen, err = seen+1, nil
		case !r.unclear():
			return err
		}
		if err == nil && (!s.cut || seen == 2) || try == 2*bodyTries || pause(ctx, min(try, 3)) != nil {
			return err
		}
	}
}

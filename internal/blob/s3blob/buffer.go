package s3blob

// buffer is one of at least size bytes. Those of a whole part are used again; small objects get small ones.
func (b *Bucket) buffer(size int64) *[]byte {
	if size > firstPart && size <= b.part {
		return b.buffers.Get().(*[]byte)
	}
	buf := make([]byte, size)
	return &buf
}

func (b *Bucket) recycle(buf *[]byte) {
	if buf != nil && int64(len(*buf)) == b.part {
		b.buffers.Put(buf)
	}
}

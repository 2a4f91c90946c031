package s3blob

// Options say which account and which server; the zero value is AWS with the default credential chain
// (environment, shared configuration, SSO, container and instance roles).
type Options struct {
	Profile   string // section of the shared AWS configuration; "" is AWS_PROFILE or default
	Region    string // "" is AWS_REGION, the profile's, or the instance's
	Endpoint  string // URL of an S3-compatible server; "" is AWS_ENDPOINT_URL(_S3), the profile's, or AWS
	PathStyle bool   // http://host/bucket/key instead of http://bucket.host/key; always so with an endpoint

	// KMSKey says how the server is to encrypt what is written: a KMS key by id, ARN or alias, SSEKMS, or SSES3; ""
	// is the bucket's own default.
	KMSKey string

	// PartSize is the unit of transfer in bytes, 0 for 5 MiB, which is the least. Concurrency is the number of parts under way per
	// stream, 0 for 3; Uploads that of all staged objects of the place together, 0 for 4. Memory: Concurrency * PartSize per
	// stream, PartSize per staged object that is not closed, and Uploads * PartSize.
	PartSize    int64
	Concurrency int
	Uploads     int
}

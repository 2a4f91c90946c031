// Package awsconfig finds out how mss talks to AWS: region, credentials and HTTP client, the same for every service.
//
// The settings come from the default chain of the AWS SDK (environment, shared configuration, SSO, container and
// instance roles), as any other AWS tool on the box has them.
package awsconfig

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// Options override the default chain; the zero value is the chain alone.
type Options struct {
	Profile  string // section of the shared AWS configuration; "" is AWS_PROFILE or default
	Region   string // "" is AWS_REGION, the profile's, or the instance's
	Endpoint bool   // the caller has an endpoint of its own, and needs no region
}

// Load reads the AWS configuration. On an instance without a configured region it asks the instance; it makes no
// other request. Region is "" when none is known.
func Load(ctx context.Context, opt Options) (aws.Config, error) {
	loaders := []func(*config.LoadOptions) error{
		// A plain http.Client would make the SDK refuse AWS_CA_BUNDLE.
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns = 256
			t.MaxIdleConnsPerHost = 128 // all parts of all workers go to one host
			t.ResponseHeaderTimeout = time.Minute
			t.WriteBufferSize = 256 << 10
			t.ReadBufferSize = 256 << 10
		})),
	}
	if opt.Profile != "" {
		loaders = append(loaders, config.WithSharedConfigProfile(opt.Profile))
	}
	if opt.Region != "" {
		loaders = append(loaders, config.WithRegion(opt.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, loaders...)
	if err != nil || cfg.Region != "" || opt.Endpoint || cfg.BaseEndpoint != nil {
		return cfg, err
	}
	// Only instances answer this, so it is asked last and briefly.
	ask, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if there, err := config.LoadDefaultConfig(ask, append(loaders, config.WithEC2IMDSRegion())...); err == nil {
		cfg.Region = there.Region
	}
	return cfg, nil
}

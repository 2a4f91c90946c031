// Package identity fetches from AWS what a connection to a warehouse logs in with: a secret of Secrets Manager, or
// credentials of some minutes that Redshift gives to an AWS identity. Each call of a Source asks AWS anew, because
// secrets rotate and such credentials expire; nothing is kept.
//
// Which AWS identity asks, and in which region, package awsconfig finds out. The SDK's own variables, as
// AWS_ENDPOINT_URL_SECRETS_MANAGER, _REDSHIFT and _REDSHIFT_SERVERLESS, lead to other endpoints.
package identity

import "context"

// Login is what one connection needs. What is zero, the URL of the warehouse must tell.
type Login struct {
	Host     string
	Port     string // 1 to 65535
	Database string
	User     string // never ""
	Password Password
}

// Source fetches a login, for one connection. Its errors name the act, the object and the remedy, and hold no secret.
type Source func(context.Context) (Login, error)

// Password is a text that prints as ***.
type Password string

func (Password) String() string               { return "***" }
func (Password) GoString() string             { return "***" }
func (Password) MarshalText() ([]byte, error) { return []byte("***"), nil }

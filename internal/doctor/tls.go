package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
)

// TLS is what the URL says about encryption on the way.
type TLS struct {
	RootCert string // file with the authority's certificate; "" is the system's
	Verify   bool   // the certificate, and the host's name in it
	AnyHost  bool   // with Verify: not the host's name
}

// sslRequest asks a PostgreSQL server, as Redshift is to this, to speak TLS.
var sslRequest = []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}

// handshake agrees on TLS as the driver will, and says what came of it.
func (t *TLS) handshake(ctx context.Context, conn net.Conn, host string) (string, error) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := conn.Write(sslRequest); err != nil {
		return "", err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return "", fmt.Errorf("the server hangs up instead of speaking TLS: %w", err)
	}
	if answer[0] != 'S' {
		return "", errNoTLS
	}
	config := &tls.Config{ServerName: host, InsecureSkipVerify: !t.Verify || t.AnyHost}
	if t.RootCert != "" {
		pem, err := os.ReadFile(t.RootCert)
		if err != nil {
			return "", err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return "", fmt.Errorf("%s holds no certificate", t.RootCert)
		}
	}
	if t.Verify && t.AnyHost {
		config.VerifyConnection = func(state tls.ConnectionState) error {
			opt := x509.VerifyOptions{Roots: config.RootCAs, Intermediates: x509.NewCertPool()}
			for _, c := range state.PeerCertificates[1:] {
				opt.Intermediates.AddCert(c)
			}
			_, err := state.PeerCertificates[0].Verify(opt)
			return err
		}
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return "", err
	}
	state := secure.ConnectionState()
	checked := "the certificate is trusted"
	if t.AnyHost {
		checked += ", for whichever host it is: say sslmode=verify-full"
	}
	if !t.Verify {
		checked = "the certificate is not checked: say sslmode=verify-full"
	}
	return tls.VersionName(state.Version) + ", " + checked, nil
}

var errNoTLS = errors.New("the server does not speak TLS")

// lackOfTLS is what is missing after a handshake that failed, and what to do.
func lackOfTLS(err error) (missing, remedy string) {
	var otherName x509.HostnameError
	switch {
	case errors.Is(err, errNoTLS):
		return "TLS", "check host and port: Redshift always speaks it; for a server on this machine say sslmode=disable in the URL"
	case errors.As(err, &otherName):
		return "a certificate for this host", "write the host as the certificate has it: the endpoint that AWS shows, no address and no alias of your own"
	}
	return "a trusted certificate", "name the authority with sslrootcert=FILE in the URL; Redshift's is in the system's certificates (package ca-certificates)"
}

package redshift

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"mss/internal/redshift/iamurl"
	"mss/internal/redshift/identity"
)

// fetched is a server whose login is fetched from AWS, anew for each connection.
type fetched struct {
	url      *url.URL // what it leaves out, the login tells
	defaults func(*url.URL) *url.URL
	wait     wait
	rotates  bool // as a server's
}

// useSecret logs in with a secret of Secrets Manager.
func (w *Warehouse) useSecret(ctx context.Context, raw string, opt Options) error {
	f := fetched{defaults: redshiftDefaults, wait: redshiftWait, rotates: true}
	w.dialect = redshiftDialect
	switch {
	case strings.HasPrefix(raw, "redshift://"):
	case strings.HasPrefix(raw, "postgres://"), strings.HasPrefix(raw, "postgresql://"):
		f.defaults, f.wait = func(u *url.URL) *url.URL { return u }, postgresWait
		w.dialect = postgresDialect
	default:
		return w.wrong("no secret is needed there: leave warehouse-secret out (--warehouse-secret ''), or want redshift://host:port/database")
	}
	u, err := serverURL(raw)
	if err != nil {
		return err
	}
	f.url = u
	if _, given := u.User.Password(); given {
		return w.wrong("the password comes from the secret: leave it out")
	}
	for _, name := range []string{"user", "password", "passfile", "host", "port", "dbname", "database", "service", "servicefile"} {
		if u.Query().Has(name) {
			return w.wrong("with a secret there is no parameter " + name + ": want redshift://host:port/database, where each part may be left to the secret")
		}
	}
	w.name += " (secret " + opt.Secret + ")"
	w.dialect = refusedRemedy(w.dialect, "the database does not take the login that the secret holds: store the right one, or have it rotated")
	return w.useFetched(f, func() (identity.Source, error) { return identity.FromSecret(ctx, opt.Profile, opt.Secret) })
}

// useIAM logs in with credentials that Redshift gives to an AWS identity.
func (w *Warehouse) useIAM(ctx context.Context, raw string, opt Options) error {
	target, err := iamurl.Parse(raw)
	if err != nil {
		return w.wrong(err.Error())
	}
	w.dialect = refusedRemedy(redshiftDialect, "the database does not take the credentials that AWS gave for it: check host, database and user in the URL")
	f := fetched{
		url:      &url.URL{Host: target.Host, Path: "/" + target.Database, RawQuery: target.Params},
		defaults: redshiftDefaults, wait: redshiftWait,
	}
	return w.useFetched(f, func() (identity.Source, error) { return identity.FromIAM(ctx, opt.Profile, target) })
}

// refusedRemedy is a dialect with another remedy for a login that is refused.
func refusedRemedy(d dialect, remedy string) dialect {
	other := d.remedy
	d.remedy = func(err error) string {
		if refusedLogin(err) {
			return remedy
		}
		return other(err)
	}
	return d
}

// useFetched sets connect. What is wrong with the URL shows before AWS is asked.
func (w *Warehouse) useFetched(f fetched, open func() (identity.Source, error)) error {
	if _, err := w.server(f, identity.Login{Host: "host.invalid", Database: "database", User: f.url.User.Username()}); err != nil {
		return err
	}
	source, err := open()
	if err != nil {
		return w.noLogin(err)
	}
	w.connectTo(func(ctx context.Context) (server, error) {
		login, err := source(ctx)
		if err != nil {
			return server{}, w.noLogin(err)
		}
		return w.server(f, login)
	})
	return nil
}

// server is where the URL and the login lead. The URL has the last word on the address.
func (w *Warehouse) server(f fetched, login identity.Login) (server, error) {
	if user := f.url.User.Username(); user != "" && user != login.User {
		return server{}, w.wrong("the secret is for another user than the URL's: leave the user out of the URL")
	}
	u := *f.url
	u.User = nil // a field of the configuration: a user may be IAM:name, a password anything
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = login.Host
	}
	if port == "" && (login.Host == "" || login.Host == host) {
		port = login.Port
	}
	u.Host = strings.TrimSuffix(net.JoinHostPort(host, port), ":")
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/" + login.Database
	}
	switch {
	case host == "":
		return server{}, w.wrong("neither the URL nor the secret names a host: want redshift://host:port/database")
	case u.Path == "/":
		return server{}, w.wrong("neither the URL nor the secret names a database: want redshift://host:port/database")
	}
	s, err := newServer(f.defaults(&u), w.name, f.wait)
	if err != nil {
		return server{}, err
	}
	s.config.User, s.config.Password = login.User, string(login.Password)
	s.rotates = f.rotates
	return s, nil
}

func (w *Warehouse) noLogin(err error) error {
	return explained{error: fmt.Errorf("log in to %s: %w", w.name, err)}
}

func (w *Warehouse) wrong(why string) error {
	return explained{error: fmt.Errorf("%w %s: %s", ErrURL, w.name, why)}
}

package rstest

import (
	"context"
	"errors"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// settings of each session of the PostgreSQL behind.
var settings = map[string]string{
	"default_transaction_isolation": "repeatable read", // takes a snapshot, and the second of two writers fails
	"standard_conforming_strings":   "off",             // a backslash escapes
	"escape_string_warning":         "off",
	"search_path":                   `"$user",public,` + systemSchema,
}

// reported are the parameters that the server tells its clients of; those with a text are Redshift's own.
var reported = map[string]string{
	"server_version": "8.0.2", "padb_version": "1.0.123456", "server_encoding": "UNICODE",
	"client_encoding": "", "DateStyle": "", "integer_datetimes": "", "TimeZone": "", "is_superuser": "", "session_authorization": "",
}

// serve speaks with one client until one of the two is gone.
func (p *Proxy) serve(conn net.Conn) {
	client := pgproto3.NewBackend(conn, conn)
	for {
		first, err := client.ReceiveStartupMessage()
		if err != nil {
			return
		}
		switch m := first.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := conn.Write([]byte("N")); err != nil {
				return
			}
		case *pgproto3.CancelRequest:
			p.cancel(m)
			return
		case *pgproto3.StartupMessage:
			s, err := p.login(conn, client, m)
			if err != nil {
				client.Send(asResponse(err, "FATAL"))
				_ = client.Flush()
				return
			}
			defer p.drop(s.server.Conn)
			if p.track(s.server.Conn) {
				s.run()
			}
			return
		default:
			return
		}
	}
}

// login asks for the password, and takes it to the PostgreSQL behind.
func (p *Proxy) login(conn net.Conn, client *pgproto3.Backend, start *pgproto3.StartupMessage) (*session, error) {
	parameters := make(map[string]string, len(start.Parameters))
	for name, value := range start.Parameters {
		parameters[name] = value
	}
	client.Send(&pgproto3.AuthenticationCleartextPassword{})
	err := client.Flush()
	if err == nil {
		err = client.SetAuthType(pgproto3.AuthTypeCleartextPassword)
	}
	if err != nil {
		return nil, err
	}
	message, err := client.Receive()
	if err != nil {
		return nil, err
	}
	password, ok := message.(*pgproto3.PasswordMessage)
	if !ok {
		return nil, errors.New("no password came")
	}
	config, err := pgconn.ParseConfig(p.direct.String())
	if err != nil {
		return nil, err
	}
	config.User, config.Password, config.Database = parameters["user"], password.Password, parameters["database"]
	delete(parameters, "user")
	delete(parameters, "database")
	for name, value := range settings {
		if _, given := parameters[name]; given {
			return nil, &pgconn.PgError{Code: "42704", Message: "unrecognized configuration parameter \"" + name + "\""}
		}
		parameters[name] = value
	}
	config.RuntimeParams = parameters
	server, err := pgconn.ConnectConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	raw, err := server.Hijack()
	if err != nil {
		return nil, err
	}
	client.Send(&pgproto3.AuthenticationOk{})
	for name, value := range reported {
		if value == "" {
			value = raw.ParameterStatuses[name]
		}
		client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	client.Send(&pgproto3.BackendKeyData{ProcessID: raw.PID, SecretKey: raw.SecretKey})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	p.mu.Lock()
	p.sessions++
	s := &session{proxy: p, number: p.sessions, conn: conn, client: client, server: raw, state: 'I', prepared: make(map[string]string)}
	p.mu.Unlock()
	return s, client.Flush()
}

// cancel hands a request to cancel a statement on: the keys are those of the PostgreSQL behind.
func (p *Proxy) cancel(m *pgproto3.CancelRequest) {
	packet, err := m.Encode(nil)
	if err != nil {
		return
	}
	server, err := net.Dial("tcp", p.direct.Host)
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(packet); err == nil {
		_, _ = server.Read(make([]byte, 1)) // it closes when it has done so
	}
}

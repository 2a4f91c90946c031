package rstest

import (
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// session is one connection, from the login on.
type session struct {
	proxy  *Proxy
	number int // of the session
	count  int // of its statements
	conn   net.Conn
	client *pgproto3.Backend
	server *pgconn.HijackedConn
	state  byte // of the transaction: I, T or E
	// prepared are the texts of the named statements. Generation becomes part of their names, and counts up when they are dropped.
	prepared   map[string]string
	generation int
}

// request is what one round trip carries to the server.
type request struct {
	sql    string // "" for one that only describes or closes
	simple bool   // by the simple protocol
	bound  bool   // there is a Bind
	packet []byte // the messages
	refuse *pgconn.PgError
}

// run takes requests until one of the two sides is gone.
func (s *session) run() {
	for {
		r, ok := s.receive()
		if !ok || !s.handle(r) {
			return
		}
	}
}

// receive reads up to the message that wants an answer.
func (s *session) receive() (r request, ok bool) {
	for {
		message, err := s.client.Receive()
		if err != nil {
			return r, false
		}
		switch m := message.(type) {
		case *pgproto3.Query:
			r.sql, r.simple = m.String, true
		case *pgproto3.Parse:
			r.sql = m.Query
			s.prepared[m.Name] = m.Query
			m.Name = s.rename(m.Name)
			if len(split(m.Query)) > 1 {
				r.refuse = syntaxError("cannot insert multiple commands into a prepared statement")
			}
		case *pgproto3.Bind:
			if r.bound {
				r.refuse = notSupported("rstest does not know how Redshift takes several statements ahead of one Sync")
			}
			r.bound, r.sql = true, s.prepared[m.PreparedStatement]
			m.PreparedStatement = s.rename(m.PreparedStatement)
			if len(m.Parameters) > maxParameters {
				r.refuse = &pgconn.PgError{Code: "XX000", Message: "too many bind parameters: " + strconv.Itoa(len(m.Parameters))}
			}
			for _, format := range append(m.ResultFormatCodes, m.ParameterFormatCodes...) {
				if format != 0 {
					r.refuse = &pgconn.PgError{Code: "0A000", Message: "rstest does not speak Redshift's binary formats"}
				}
			}
		case *pgproto3.Describe:
			if m.ObjectType == 'S' {
				m.Name = s.rename(m.Name)
			}
		case *pgproto3.Close:
			if m.ObjectType == 'S' {
				m.Name = s.rename(m.Name)
			}
		case *pgproto3.Execute, *pgproto3.Sync:
		case *pgproto3.Terminate:
			return r, false
		default: // Flush, CopyData, …
			return r, false
		}
		if r.packet, err = message.Encode(r.packet); err != nil {
			return r, false
		}
		switch message.(type) {
		case *pgproto3.Query, *pgproto3.Sync:
			return r, true
		}
	}
}

const (
	maxParameters = 32_767
	maxText       = 16 << 20
)

func (s *session) rename(statement string) string {
	if statement == "" {
		return ""
	}
	return statement + " of generation " + strconv.Itoa(s.generation)
}

// handle carries out a request. It is false when the connection is to end.
func (s *session) handle(r request) bool {
	var action Action
	if r.sql != "" {
		s.count++
		action = s.proxy.ask(Statement{Session: s.number, N: s.count, SQL: r.sql})
	}
	switch {
	case action.Drop:
		return false
	case action.Late != nil:
		action.Lose = true
		s.conn.Close()
		<-action.Late
	case action.Fail != nil:
		return s.fail(action.Fail, isCommit(r.sql))
	}
	if s.state != 'E' && r.sql != "" { // in a failed transaction the server says so itself
		if r.refuse == nil {
			r.refuse = refusal(r.sql)
		}
		if r.refuse != nil {
			return s.fail(r.refuse, false)
		}
		if c, ok := parseCopy(r.sql); ok {
			return s.copy(c, r.simple, !action.Lose)
		}
	}
	tag, ok := s.exchange(r.packet, !action.Lose)
	if !ok || action.Lose {
		return false
	}
	switch word, _, _ := strings.Cut(tag, " "); word {
	case "CREATE", "DROP", "ALTER", "ROLLBACK":
		s.generation++
	}
	return true
}

// exchange sends messages to the server and, with reply, passes on what it says, up to ReadyForQuery. It returns the last tag.
func (s *session) exchange(packet []byte, reply bool) (tag string, ok bool) {
	if _, err := s.server.Conn.Write(packet); err != nil {
		return "", false
	}
	for rows := 0; ; {
		message, err := s.server.Frontend.Receive()
		if err != nil {
			return tag, false
		}
		last := false
		switch m := message.(type) {
		case *pgproto3.ReadyForQuery:
			if tag == "TRUNCATE TABLE" && m.TxStatus == 'T' {
				if _, ok := s.exchange(query("COMMIT"), false); !ok {
					return tag, false
				}
				m = &pgproto3.ReadyForQuery{TxStatus: 'I'}
				message = m
			}
			s.state, last = m.TxStatus, true
		case *pgproto3.CommandComplete:
			tag = string(m.CommandTag)
			if word, _, _ := strings.Cut(tag, " "); word == "SELECT" || word == "COPY" {
				m.CommandTag = []byte(word)
			}
		case *pgproto3.ErrorResponse:
			asRedshift(m)
		case *pgproto3.ParameterStatus:
			if own, ok := reported[m.Name]; !ok || own != "" {
				continue
			}
		case *pgproto3.DataRow:
			rows++
		}
		if reply {
			s.client.Send(message)
			if last || rows%256 == 255 {
				if err := s.client.Flush(); err != nil {
					return tag, false
				}
			}
		}
		if last {
			return tag, true
		}
	}
}

// fail answers with an error. A transaction fails with it; one that was to be committed is rolled back.
func (s *session) fail(e *pgconn.PgError, commit bool) bool {
	if s.state == 'T' {
		spoil := "DO 'BEGIN RAISE EXCEPTION ''rstest''; END'"
		if commit {
			spoil = "ROLLBACK"
		}
		if _, ok := s.exchange(query(spoil), false); !ok {
			return false
		}
	}
	s.client.Send(asResponse(e, "ERROR"))
	s.client.Send(&pgproto3.ReadyForQuery{TxStatus: s.state})
	return s.client.Flush() == nil
}

// query is a message of the simple protocol.
func query(sql string) []byte {
	packet, err := (&pgproto3.Query{String: sql}).Encode(nil)
	if err != nil {
		panic(err) // a text of more than 1 GB
	}
	return packet
}

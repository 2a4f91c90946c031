package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// keeper runs the server until the test process is gone, by whatever end, panic and kill as well: then its standard
// input ends. SIGQUIT is PostgreSQL's immediate shutdown, which still gives its shared memory back.
const keeper = `dir=$1; shift
"$@" & server=$!
while read -r line; do :; done
kill -QUIT $server; wait $server
cd /; rm -rf "$dir"`

const (
	user      = "mss"
	startTime = 30 * time.Second
)

// errPort is a server that does not come up, as when another process took the port in between.
var errPort = errors.New("PostgreSQL does not start")

// start makes a cluster and runs a server over it. It returns the URL of its database postgres.
func start() (*url.URL, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	for range 3 {
		var dir string
		if dir, err = os.MkdirTemp("", "mss-pgtest-"); err != nil {
			return nil, err
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
		var u *url.URL
		if u, err = startIn(bin, dir); err == nil {
			return u, nil
		}
		err = errors.Join(err, os.RemoveAll(dir))
		if !errors.Is(err, errPort) {
			break
		}
	}
	return nil, err
}

func startIn(bin, dir string) (*url.URL, error) {
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if err := as.own(dir); err != nil {
		return nil, err
	}
	password := rand.Text() // other users of this machine reach the port as well
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		return nil, err
	}
	if err := as.own(secret); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := as.command(filepath.Join(bin, "initdb"), "-D", data, "-U", user, "--pwfile", secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb in %s as %s: %w: %s; set TMPDIR to a folder that this user can reach, or %s to the URL of a server",
			data, as, err, out, Variable)
	}
	return serve(as, bin, dir, data, password)
}

func serve(as account, bin, dir, data, password string) (*url.URL, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	logfile := filepath.Join(dir, "server.log")
	log, err := os.Create(logfile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := as.command("/bin/sh", "-c", keeper, "sh", dir, filepath.Join(bin, "postgres"), "-D", data,
		"-p", fmt.Sprint(addr.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	u := &url.URL{Scheme: "postgres", User: url.UserPassword(user, password), Host: addr.String(), Path: "/postgres",
		RawQuery: "sslmode=disable"}
	if err := await(u, logfile); err != nil {
		life.Close()
		cmd.Wait() // the keeper stops the server and removes the folder
		return nil, err
	}
	go cmd.Wait() // it also holds on to the pipe, whose finalizer would stop the server
	return u, nil
}

// await returns when the server answers.
func await(u *url.URL, logfile string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, u.String())
		if err == nil {
			return conn.Close(ctx)
		}
		said, _ := os.ReadFile(logfile)
		if strings.Contains(string(said), "database system is shut down") {
			return fmt.Errorf("%w: %s", errPort, said)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer after %s (%w): %s", startTime, err, said)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// command is a program run in the account, with nothing of the developer's own PostgreSQL settings.
func (a account) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	a.apply(cmd)
	return cmd
}

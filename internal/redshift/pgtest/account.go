package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"strconv"
	"syscall"
)

// account is who runs the server: PostgreSQL refuses root, who becomes nobody.
type account struct {
	credential *syscall.Credential // nil is the user of this process
	name       string
}

func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "uid " + strconv.Itoa(os.Geteuid())}, nil
	}
	nobody, err := osuser.Lookup("nobody")
	if err != nil {
		return account{}, fmt.Errorf("PostgreSQL refuses to run as root, and there is no other user to run it: %w; set %s to the URL of a server", err, Variable)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return account{}, err
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		return account{}, err
	}
	return account{name: nobody.Username, credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func (a account) String() string { return a.name }

// own gives a file to the account.
func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// apply makes cmd run in the account, in a process group of its own: an interrupt at the terminal is for the tests,
// and the server must outlive them to be shut down.
func (a account) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: a.credential}
}

package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeMss puts a program named mss into a folder, which ends with a status.
func fakeMss(t *testing.T, status int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	program := fmt.Sprintf("#!/bin/sh\necho \"the log of mss $*\"\nexit %d\n", status)
	if err := os.WriteFile(filepath.Join(dir, "mss"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCronTellsStatusesApart: a run that succeeded, and one that another had forestalled, print nothing, so that cron
// sends no mail; each other status has words of its own.
func TestCronTellsStatusesApart(t *testing.T) {
	for status, want := range map[int]string{
		0: "", 4: "", 1: "mss doctor", 2: "mss config show", 3: "quarantine/", 130: "it was stopped", 137: "exit status 137",
	} {
		log := filepath.Join(t.TempDir(), "mss.log")
		cmd := exec.Command("/bin/sh", "cron/mss-cron", "--threads", "2")
		cmd.Env = []string{"PATH=" + fakeMss(t, status) + ":/usr/bin:/bin", "MSS_CRON_LOG=" + log, "MSS_CONFIG=/etc/x.yaml"}
		out, _ := cmd.CombinedOutput()
		if quiet := want == ""; quiet && len(out) > 0 || !quiet && (!strings.Contains(string(out), want) || !strings.Contains(string(out), "the log of mss")) {
			t.Errorf("status %d: %s", status, out)
		}
		ends := status
		if status == 4 {
			ends = 0
		}
		if got := cmd.ProcessState.ExitCode(); got != ends {
			t.Errorf("status %d ends with %d", status, got)
		}
		if kept, _ := os.ReadFile(log); !strings.Contains(string(kept), "run all --config /etc/x.yaml --log-format json --no-progress --threads 2") {
			t.Errorf("status %d: log %q", status, kept)
		}
	}
}

// TestAfterRun: only a run that succeeded is told of as one.
func TestAfterRun(t *testing.T) {
	dir := t.TempDir()
	text := strings.ReplaceAll(script(t, "systemd/after-run"), "/etc/mss/", dir+"/")
	for _, hook := range []string{"on-success", "on-failure"} {
		if err := os.WriteFile(filepath.Join(dir, hook), []byte("#!/bin/sh\necho "+hook+" $1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for outcome, want := range map[string]string{
		"exited 0": "on-success", "exited 4": "", "exited 3": "on-failure 3", "exited 1": "on-failure 1", "killed TERM": "on-failure TERM", "killed 0": "on-failure 0",
	} {
		code, status, _ := strings.Cut(outcome, " ")
		cmd := exec.Command("/bin/sh", "-c", text)
		cmd.Env = []string{"EXIT_CODE=" + code, "EXIT_STATUS=" + status}
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: %q, %v; want %q", outcome, out, err, want)
		}
	}
}

// TestUnitTellsStatusesApart: what may pass is tried again, and what only comes out the same is not.
func TestUnitTellsStatusesApart(t *testing.T) {
	unit := script(t, "systemd/mss.service")
	for _, line := range []string{"Restart=on-failure", "RestartPreventExitStatus=2 3 130", "SuccessExitStatus=4", "Type=oneshot"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
}

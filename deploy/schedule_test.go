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

// TestCronReadsTheEnvironment: secrets get to mss as they do by systemd, whatever is in them, and nothing of them is run.
func TestCronReadsTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	program := "#!/bin/sh\nenv | grep -E '^(PGPASSWORD|AWS_REGION|MSS_[A-Z]+)='\n"
	if err := os.WriteFile(filepath.Join(dir, "mss"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	environment := filepath.Join(dir, "environment")
	lines := "# secrets\nPGPASSWORD=a b$HOME`touch " + dir + "/run`'=\"\nAWS_REGION=\"eu-west-1\"\n\nnonsense\nno-name=1\nMSS_TEMP='s3://t'"
	if err := os.WriteFile(environment, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	cmd := exec.Command("/bin/sh", "cron/mss-cron")
	cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "MSS_CRON_LOG=" + log, "MSS_CRON_ENVIRONMENT=" + environment}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	got, _ := os.ReadFile(log)
	for _, want := range []string{"PGPASSWORD=a b$HOME`touch " + dir + "/run`'=\"\n", "AWS_REGION=eu-west-1\n", "MSS_TEMP=s3://t\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "run")); err == nil {
		t.Error("a part of a value was run")
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

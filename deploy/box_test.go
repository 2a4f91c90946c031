package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mss/internal/config"
)

// userData is the script that the box runs at its first start.
func userData(t *testing.T, s *stack) string {
	t.Helper()
	script, ok := s.get(t, "BoxTemplate", "Properties", "LaunchTemplateData", "UserData", "Fn::Base64").(string)
	if !ok || !strings.HasPrefix(script, "#!/bin/bash\n") {
		t.Fatalf("the box has no script: %v", script)
	}
	return script
}

func TestBoxScriptIsAScript(t *testing.T) {
	script := userData(t, load(t, nil))
	cmd := exec.Command("bash", "-n")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if strings.Contains(script, "<") && strings.Contains(script, "<Warehouse>") {
		t.Errorf("a name is left: %s", script)
	}
}

// TestAnotherConfigurationIsAnotherBox: EC2 runs user data at the first start alone, and CloudFormation only restarts an instance
// whose own user data changes.
func TestAnotherConfigurationIsAnotherBox(t *testing.T) {
	s := load(t, nil)
	box := s.get(t, "Box", "Properties").(map[string]any)
	if box["UserData"] != nil {
		t.Error("the box has user data of its own")
	}
	from := s.get(t, "Box", "Properties", "LaunchTemplate").(map[string]any)
	if from["LaunchTemplateId"] != "<BoxTemplate>" || from["Version"] != "<BoxTemplate.LatestVersionNumber>" {
		t.Errorf("the box is made from %v", from)
	}
}

// TestBoxIsConfigured: mss takes the configuration that the box gets.
func TestBoxIsConfigured(t *testing.T) {
	for login, warehouse := range map[string]string{
		"iam":    "redshift-iam://sandbox-workspace/dev?region=eu-west-1",
		"secret": "redshift://" + pseudo["Workgroup.Workgroup.Endpoint.Address"] + ":5439/dev",
	} {
		script := userData(t, load(t, map[string]string{"WarehouseLogin": login}))
		_, text, _ := strings.Cut(script, "/etc/mss/mss.yaml <<'END'\n")
		text, _, _ = strings.Cut(text, "\nEND\n")
		var settings map[string]string
		if err := yaml.Unmarshal([]byte(text), &settings); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if settings["warehouse"] != warehouse || settings["raw"] != "s3://lab1-rawdata" || settings["catalog"] != "glue" {
			t.Errorf("%s: %s", login, text)
		}
		if (settings["warehouse-secret"] != "") != (login == "secret") {
			t.Errorf("%s: the secret is %q", login, settings["warehouse-secret"])
		}
		var lines []string
		for name, value := range settings {
			if config.Find(name) == nil {
				t.Errorf("%s: mss has no setting %s", login, name)
			}
			lines = append(lines, name+": '"+value+"'")
		}
		file := filepath.Join(t.TempDir(), "mss.yaml")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(config.Sources{File: file}); err != nil {
			t.Errorf("%s: %v", login, err)
		}
	}
}

package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mss/internal/policy"
)

// stack is the template with values for its parameters: as much of CloudFormation's functions as the template uses.
type stack struct {
	parameters map[string]string
	conditions map[string]*yaml.Node
	resources  map[string]any
}

const workgroupARN = "arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/1c2d"

// pseudo are CloudFormation's own parameters, and what it would know of resources once they exist.
var pseudo = map[string]string{
	"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "mss",
	"Workgroup.Workgroup.WorkgroupArn": workgroupARN, "AdminSecret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mss/sandbox/admin-a1b2c3",
	"Workgroup.Workgroup.Endpoint.Address": "sandbox-workspace.123456789012.eu-west-1.redshift-serverless.amazonaws.com",
}

func load(t *testing.T, given map[string]string) *stack {
	t.Helper()
	data, err := os.ReadFile("mss.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Parameters map[string]struct {
			Default string `yaml:"Default"`
		} `yaml:"Parameters"`
		Conditions map[string]yaml.Node `yaml:"Conditions"`
		Resources  yaml.Node            `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	s := &stack{parameters: map[string]string{}, conditions: map[string]*yaml.Node{}}
	for name, n := range doc.Conditions {
		s.conditions[name] = &n
	}
	for name, p := range doc.Parameters {
		s.parameters[name] = p.Default
	}
	for name, value := range given {
		if _, ok := doc.Parameters[name]; !ok {
			t.Fatalf("the template has no parameter %s", name)
		}
		s.parameters[name] = value
	}
	s.resources = s.value(&doc.Resources).(map[string]any)
	return s
}

// absent is AWS::NoValue.
type absent struct{}

func (s *stack) value(n *yaml.Node) any {
	switch n.Tag {
	case "!Ref":
		return s.ref(n.Value)
	case "!GetAtt":
		return s.ref(n.Value)
	case "!Sub":
		if n.Kind == yaml.SequenceNode { // with names of its own
			return s.sub(n.Content[0].Value, s.value(n.Content[1]).(map[string]any))
		}
		return s.sub(n.Value, nil)
	case "!If":
		if s.condition(n.Content[0].Value) {
			return s.value(n.Content[1])
		}
		return s.value(n.Content[2])
	case "!Select":
		return "selected"
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			if v := s.value(n.Content[i+1]); v != (absent{}) {
				m[n.Content[i].Value] = v
			}
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			if v := s.value(c); v != any(absent{}) {
				list = append(list, v)
			}
		}
		return list
	}
	return n.Value
}

func (s *stack) ref(name string) any {
	if name == "AWS::NoValue" {
		return absent{}
	}
	if v, ok := pseudo[name]; ok {
		return v
	}
	if v, ok := s.parameters[name]; ok {
		return v
	}
	return "<" + name + ">"
}

func (s *stack) sub(text string, own map[string]any) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		v, ok := own[name]
		if !ok {
			v = s.ref(name)
		}
		fmt.Fprint(&out, v)
		text = after
	}
}

func (s *stack) condition(name string) bool { return s.holds(s.conditions[name]) }

func (s *stack) holds(n *yaml.Node) bool {
	if n.Tag == "!Not" {
		return !s.holds(n.Content[0])
	}
	return s.value(n.Content[0]) == s.value(n.Content[1]) // !Equals
}

// get follows a path of keys through the resources.
func (s *stack) get(t *testing.T, path ...string) any {
	t.Helper()
	var v any = s.resources
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok || m[key] == nil {
			t.Fatalf("the template has no %s", strings.Join(path, "."))
		}
		v = m[key]
	}
	return v
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var canonical any
	if err := json.Unmarshal(data, &canonical); err != nil { // keys in one order
		t.Fatal(err)
	}
	if data, err = json.MarshalIndent(canonical, "", " "); err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPoliciesAreThoseOfMss: the template's roles have exactly the statements that `mss policy` prints for the configuration
// that the box gets.
func TestPoliciesAreThoseOfMss(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:123456789012:key/0d7a6a2c-1f4f-4a7a-9a55-1f0c5b1a2b3c"
	for _, kmsKey := range []string{"", key} {
		for _, catalog := range []string{"glue", "none"} {
			for _, login := range []string{"iam", "secret"} {
				s := load(t, map[string]string{"KmsKeyArn": kmsKey, "Catalog": catalog, "WarehouseLogin": login, "RawBucketName": "my-raw"})
				n := policy.Needs{
					Region: "eu-west-1", Account: "123456789012", KMSKey: kmsKey, Catalog: catalog == "glue",
					Raw: policy.ParsePlace("s3://my-raw"), Curated: policy.ParsePlace("s3://lab1-curateddata"),
					Analytics: policy.ParsePlace("s3://lab1-analytics"), Temp: policy.ParsePlace("s3://lab1-temp"),
				}
				if login == "iam" {
					n.Login, _ = policy.ParseLogin("redshift-iam://sandbox-workspace/dev?region=eu-west-1")
					n.Login.WorkgroupARN = workgroupARN
				} else {
					n.Secret = pseudo["AdminSecret"]
				}
				for role, want := range map[string]policy.Document{"BoxRole": policy.Box(n), "CopyRole": policy.Copy(n)} {
					first := s.get(t, role, "Properties", "Policies").([]any)[0].(map[string]any)
					if got, want := text(t, first["PolicyDocument"]), text(t, want); first["PolicyName"] != "mss" || got != want {
						t.Errorf("key %q, catalog %s, login %s: %s has %s\nmss policy prints %s", kmsKey, catalog, login, role, got, want)
					}
				}
			}
		}
	}
}

// TestREADMEDeploysTheTemplate: the command in the README gives parameters that there are, and all that have no default.
func TestREADMEDeploysTheTemplate(t *testing.T) {
	_, command, found := strings.Cut(script(t, "../README.md"), "--parameter-overrides")
	if !found {
		t.Fatal("the README does not deploy the template")
	}
	command, _, _ = strings.Cut(command, "\naws ")
	given := map[string]string{}
	for _, word := range strings.Fields(command) {
		if name, value, ok := strings.Cut(word, "="); ok {
			given[name] = value
		}
	}
	s := load(t, given)
	for name, value := range s.parameters {
		if _, ok := given[name]; !ok && value == "" && name != "KmsKeyArn" {
			t.Errorf("the README does not give %s", name)
		}
	}
}

func TestBucketsAreClosed(t *testing.T) {
	s := load(t, nil)
	for _, name := range []string{"Raw", "Curated", "Analytics", "Temp"} {
		bucket := s.get(t, name+"Bucket", "Properties")
		for path, want := range map[string]string{
			"PublicAccessBlockConfiguration": `{"BlockPublicAcls":"true","BlockPublicPolicy":"true","IgnorePublicAcls":"true","RestrictPublicBuckets":"true"}`,
			"OwnershipControls":              `{"Rules":[{"ObjectOwnership":"BucketOwnerEnforced"}]}`,
			"BucketEncryption":               `{"ServerSideEncryptionConfiguration":[{"BucketKeyEnabled":"true","ServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}`,
		} {
			got, err := json.Marshal(bucket.(map[string]any)[path])
			if err != nil || string(got) != want {
				t.Errorf("%s: %s is %s, want %s", name, path, got, want)
			}
		}
		if rules := text(t, s.get(t, name+"Bucket", "Properties", "LifecycleConfiguration", "Rules")); !strings.Contains(rules, `"DaysAfterInitiation": "1"`) {
			t.Errorf("%s keeps incomplete uploads: %s", name, rules)
		}
		deny := text(t, s.get(t, name+"BucketPolicy", "Properties", "PolicyDocument", "Statement"))
		if !strings.Contains(deny, `"Effect": "Deny"`) || !strings.Contains(deny, `"aws:SecureTransport": "false"`) {
			t.Errorf("%s takes plain HTTP: %s", name, deny)
		}
	}
	// With a key of one's own it is the bucket's default too.
	key := text(t, load(t, map[string]string{"KmsKeyArn": "arn:k"}).get(t, "CuratedBucket", "Properties", "BucketEncryption"))
	if !strings.Contains(key, `"KMSMasterKeyID": "arn:k"`) || !strings.Contains(key, "aws:kms") {
		t.Error(key)
	}
}

// The warehouse is reached on one port from the box's group, and from nowhere else.
func TestOnlyTheBoxReachesTheWarehouse(t *testing.T) {
	s := load(t, nil)
	ingress := s.get(t, "WarehouseGroup", "Properties", "SecurityGroupIngress").([]any)
	if len(ingress) != 1 {
		t.Fatalf("%v", ingress)
	}
	rule := ingress[0].(map[string]any)
	if rule["FromPort"] != "5439" || rule["ToPort"] != "5439" || rule["IpProtocol"] != "tcp" || rule["SourceSecurityGroupId"] != "<BoxGroup>" || rule["CidrIp"] != nil {
		t.Errorf("%v", rule)
	}
	if w := s.get(t, "Workgroup", "Properties").(map[string]any); w["PubliclyAccessible"] != "false" || w["EnhancedVpcRouting"] != "true" {
		t.Errorf("%v", w)
	}
}

// Usage limits are no resources to IAM: allowed on an ARN, these actions are not allowed at all, and the stack would fail.
func TestUsageLimitMayBeSet(t *testing.T) {
	s := load(t, nil)
	first := s.get(t, "UsageLimitRole", "Properties", "Policies").([]any)[0].(map[string]any)
	statement := first["PolicyDocument"].(map[string]any)["Statement"].([]any)[0].(map[string]any)
	if got := fmt.Sprint(statement["Resource"]); got != "[*]" {
		t.Errorf("limits may be set on %s", got)
	}
	for _, action := range statement["Action"].([]any) {
		if name := action.(string); !strings.HasPrefix(name, "redshift-serverless:") || !strings.HasSuffix(strings.TrimSuffix(name, "s"), "UsageLimit") {
			t.Errorf("on all resources %s is allowed", name)
		}
	}
}

// Redshift can take the role on whether or not it says for which account.
func TestCopyRoleIsTrusted(t *testing.T) {
	trust := text(t, load(t, nil).get(t, "CopyRole", "Properties", "AssumeRolePolicyDocument", "Statement"))
	for _, want := range []string{"redshift-serverless.amazonaws.com", `"redshift.amazonaws.com"`, "StringEqualsIfExists"} {
		if !strings.Contains(trust, want) {
			t.Errorf("no %s in %s", want, trust)
		}
	}
}

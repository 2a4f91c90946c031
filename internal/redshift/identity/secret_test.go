package identity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"mss/internal/mototest"
)

// vault is an empty Secrets Manager, which the AWS SDK of this test goes to.
func vault(t *testing.T) *secretsmanager.Client {
	t.Helper()
	mototest.Setenv(t, mototest.New(t).URL)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return secretsmanager.NewFromConfig(cfg)
}

// store makes a secret and returns its ARN.
func store(t *testing.T, client *secretsmanager.Client, name, text string) string {
	t.Helper()
	out, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &text})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.ARN)
}

func TestSecret(t *testing.T) {
	client := vault(t)
	arn := store(t, client, "prod/mss", `{"engine":"redshift","host":"h.example.com","username":"admin","password":"hunter2","dbname":"dev","port":5439}`)
	want := Login{Host: "h.example.com", Port: "5439", Database: "dev", User: "admin", Password: "hunter2"}
	for region, id := range map[string]string{mototest.Region: "prod/mss", "ap-south-1": arn, "": arn} {
		t.Setenv("AWS_REGION", region) // an ARN knows its own
		source, err := FromSecret(t.Context(), "", id)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := source(t.Context()); err != nil || got != want {
			t.Errorf("%s in %q: %v, %v", id, region, got, err)
		}
	}
}

func TestSecretIsReadAnew(t *testing.T) {
	client := vault(t)
	store(t, client, "mss", `{"username":"u","password":"one"}`)
	source, err := FromSecret(t.Context(), "", "mss")
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"one", "two", "three"} {
		text := fmt.Sprintf(`{"username":"u","password":%q}`, password)
		if _, err := client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("mss"), SecretString: &text}); err != nil {
			t.Fatal(err)
		}
		if got, err := source(t.Context()); err != nil || string(got.Password) != password {
			t.Errorf("%s, %v; want %s", string(got.Password), err, password)
		}
	}
}

func TestSecretsThatCannotBeRead(t *testing.T) {
	client := vault(t)
	store(t, client, "text", "hunter2")
	if _, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("bytes"), SecretBinary: []byte("hunter2")}); err != nil {
		t.Fatal(err)
	}
	for id, words := range map[string][]string{
		"nowhere": {"read the secret nowhere", "ResourceNotFoundException", "check the name, the region"},
		"text":    {"read the secret text", "no JSON object", "username and password"},
		"bytes":   {"read the secret bytes", "no text"},
	} {
		source, err := FromSecret(t.Context(), "", id)
		if err != nil {
			t.Fatal(err)
		}
		_, err = source(t.Context())
		wantWords(t, err, words...)
	}
	t.Setenv("AWS_REGION", "")
	_, err := FromSecret(t.Context(), "", "mss")
	wantWords(t, err, "the secret mss", "ARN", "AWS_REGION")
}

func TestReadSecret(t *testing.T) {
	const both = `"username":"u","password":"hunter2"`
	for text, want := range map[string]Login{
		`{` + both + `}`:                         {User: "u", Password: "hunter2"},
		`{` + both + `,"port":"5440"}`:           {User: "u", Password: "hunter2", Port: "5440"},
		`{` + both + `,"port":5440}`:             {User: "u", Password: "hunter2", Port: "5440"},
		`{` + both + `,"port":"","host":null}`:   {User: "u", Password: "hunter2"},
		`{` + both + `,"HOST":"x","DbName":"y"}`: {User: "u", Password: "hunter2"}, // names are case-sensitive
		`{` + both + `,"host":"h","dbname":"d","masterarn":"arn:…","namespaceName":7}`: {User: "u", Password: "hunter2", Host: "h", Database: "d"},
		`{"username":"IAM:u@x","password":" p:/@%\"é"}`:                                {User: "IAM:u@x", Password: ` p:/@%"é`},
	} {
		if got, err := readSecret(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, word := range map[string]string{
		"":                                  "no text",
		"hunter2":                           "no JSON object",
		`["hunter2"]`:                       "no JSON object",
		`"hunter2"`:                         "no JSON object",
		`{"password":"hunter2"`:             "no JSON object",
		"null":                              "no username",
		`{"password":"hunter2"}`:            "no username",
		`{"username":"hunter2"}`:            "no password",
		`{"username":7,"password":"x"}`:     "username is no text",
		`{"username":"u","password":12345}`: "password is no text",
		`{` + both + `,"host":"a/hunter2"}`: "host",
		`{` + both + `,"port":"hunter2"}`:   "port",
		`{` + both + `,"port":0}`:           "port",
		`{` + both + `,"port":65536}`:       "port",
		`{` + both + `,"port":54.5}`:        "port",
		`{` + both + `,"port":true}`:        "port",
	} {
		_, err := readSecret(text)
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v; want %q in it", text, err, word)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "12345")) {
			t.Errorf("a secret in: %v", err)
		}
	}
}

// wantWords wants an error with each of the words, in one line and without the secret of all tests.
func wantWords(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no %q in: %v", word, err)
		}
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret in: %s", text)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("several lines: %v", err)
	}
}

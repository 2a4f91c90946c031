package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// FromSecret is the source that reads a secret, named by its id or its ARN, as Secrets Manager stores them for a
// database: JSON with username, password and, where they are not left out, host, port and dbname.
func FromSecret(ctx context.Context, profile, id string) (Source, error) {
	region := ""
	// arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME
	if part := strings.SplitN(id, ":", 6); part[0] == "arn" && len(part) == 6 {
		region = part[3]
	}
	cfg, err := load(ctx, profile, region, "the secret "+id, "name the secret by its ARN")
	if err != nil {
		return nil, err
	}
	client := secretsmanager.NewFromConfig(cfg)
	return func(ctx context.Context) (Login, error) {
		const action = "secretsmanager:GetSecretValue"
		out, err := ask(ctx, action, "read the secret "+id, client.GetSecretValue, &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			return Login{}, err
		}
		login, err := readSecret(aws.ToString(out.SecretString))
		if err != nil {
			return Login{}, fmt.Errorf("read the secret %s: %w; store it as Secrets Manager does for a Redshift database: JSON with username and password", id, err)
		}
		return login, nil
	}, nil
}

// Hosts of a secret go into a URL, and into errors.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)

// readSecret takes the login out of a secret. Its errors hold nothing of the secret: not even what a parser would say
// of the character where it stopped.
func readSecret(text string) (Login, error) {
	if text == "" {
		return Login{}, errors.New("it holds no text")
	}
	var fields map[string]any
	if json.Unmarshal([]byte(text), &fields) != nil {
		return Login{}, errors.New("it is no JSON object")
	}
	var login Login
	var password string
	for _, f := range []struct {
		name string
		to   *string
	}{{"username", &login.User}, {"password", &password}, {"host", &login.Host}, {"dbname", &login.Database}} {
		switch value := fields[f.name].(type) {
		case nil:
		case string:
			*f.to = value
		default:
			return Login{}, fmt.Errorf("its field %s is no text", f.name)
		}
	}
	login.Password = Password(password)
	var err error
	if login.Port, err = readPort(fields["port"]); err != nil {
		return Login{}, err
	}
	switch {
	case login.User == "":
		return Login{}, errors.New("it has no username")
	case password == "":
		return Login{}, errors.New("it has no password")
	case login.Host != "" && !hostForm.MatchString(login.Host):
		return Login{}, errors.New("its field host is no name of a host")
	}
	return login, nil
}

// readPort takes a number, or the text of one; older secrets have that.
func readPort(value any) (string, error) {
	var text string
	switch v := value.(type) {
	case nil:
		return "", nil
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		if text = v; text == "" {
			return "", nil
		}
	}
	if n, err := strconv.ParseUint(text, 10, 16); err != nil || n == 0 {
		return "", errors.New("its field port is no number from 1 to 65535")
	}
	return text, nil
}

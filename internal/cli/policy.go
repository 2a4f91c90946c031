package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"mss/internal/policy"
)

type policyOptions struct{ account, workgroupARN string }

func (a *app) policyCmd() *cobra.Command {
	var o policyOptions
	cmd := &cobra.Command{
		Use:   "policy [box|copy]",
		Short: "Print the least IAM policy that the configuration needs",
		Long: `Print, as JSON, the least IAM policy that the configuration needs: box is that of whoever runs mss (the default),
copy that of the role with which Redshift reads what a load has put into the temp place.

There is one statement for each need. deploy/mss.yaml has the same ones. Account and region are taken from the
configuration, else asked of AWS (sts:GetCallerIdentity, which needs no right).`,
		Example: `  mss policy --config prod.yaml >mss-policy.json
  mss policy copy --account 123456789012`,
		ValidArgs: []cobra.Completion{"box", "copy"},
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			cfg, err := a.load(nil, "")
			if err != nil {
				return err
			}
			n := needsOf(cfg)
			n.Account = first(o.account, n.Account)
			n.Login.WorkgroupARN = o.workgroupARN
			of := policy.Box
			if len(args) == 1 && args[0] == "copy" {
				of = policy.Copy
			}
			if len(of(n).Statement) == 0 {
				return usageError{errors.New("the configuration names nothing on AWS that this policy is for: no s3:// place, no login by IAM, no secret")}
			}
			cloud, err := openAWS(cmd.Context(), cfg, &n)
			if err != nil {
				return err
			}
			if err := complete(cmd.Context(), cloud, &n); err != nil {
				return err
			}
			return a.printJSON(of(n))
		}),
	}
	cmd.Flags().StringVar(&o.account, "account", "", "AWS `ACCOUNT` that the resources are in")
	cmd.Flags().StringVar(&o.workgroupARN, "workgroup-arn", "", "`ARN` of the Redshift Serverless workgroup of an IAM login")
	return cmd
}

/** The command `check` evaluates manifests, or the workloads of a cluster. */
import { Option } from 'commander';
import { type RegisterCommand, UsageError } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import { leavingOut } from '../../input/left-out.ts';
import * as options from '../../options.ts';
import { checkScope } from '../../scope.ts';
import { failOn, warn } from './fail-on.ts';
import { OUTPUTS } from './reporters/create-reporter.ts';

const ABOUT =
  'evaluate manifests, or the workloads of a cluster, against CapabilityPolicies. The output names each workload that violates a rule, the place of the violation, and the accepted values';

export const registerCheck: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('check')
    .summary('show the workloads that violate policies, and the accepted values; show what a policy would change')
    .description(ABOUT)
    .addOption(options.filenames())
    .addOption(options.exclude())
    .addOption(
      new Option(
        '--policy <file...>',
        'policies to evaluate against, in addition to the policies among the manifests',
      ).default([], 'none'),
    )
    .addOption(options.level().conflicts('policy'))
    .addOption(options.levelVersion())
    .option(
      '--cluster',
      'evaluate against the live policies, namespaces and RBAC; without -f, evaluate the running workloads',
    )
    .addOption(
      options.namespace(
        'the namespace of manifests that state no namespace (default: "default"); with --cluster, the namespace to evaluate (default: the namespace of the context)',
      ),
    )
    .addOption(options.allNamespaces('with --cluster and without -f: evaluate all namespaces'))
    .addOption(
      new Option(
        '--dry-run <strategy>',
        'with --cluster and without -f: create one pod of each template by dry run, with your own rights, so that webhooks and mutating policies change the pods; needs the right to create pods, and creates none',
      ).choices(['server']),
    )
    .addOption(options.namespaceLabels())
    .addOption(
      new Option(
        '-o, --output <format>',
        'the format; table and wide fit the width of a terminal; in a pipe, table and wide print one line for each violation',
      )
        .choices(OUTPUTS)
        .default('table'),
    )
    .addOption(warn())
    .addOption(failOn())
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .addOption(options.at())
    .addOption(options.serverVersion())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .action(async (given) => {
      if (given.filename.length === 0 && !given.cluster)
        throw new UsageError('nothing to check: name files with -f, or use --cluster');
      if (given.allNamespaces && (given.filename.length > 0 || !given.cluster))
        throw new UsageError('-A requires --cluster and cannot be combined with -f: manifests state their namespaces');
      checkScope(given);
      if (given.levelVersion !== undefined && given.level === undefined)
        throw new UsageError('--level-version requires --level');
      if (given.failOn.has('Opens') && !(given.cluster && given.policy.length > 0 && given.filename.length === 0))
        throw new UsageError('--fail-on Opens requires --cluster and --policy, and cannot be combined with -f');
      if (given.dryRun !== undefined && (given.filename.length > 0 || given.policy.length > 0 || !given.cluster))
        throw new UsageError(
          '--dry-run requires --cluster, and cannot be combined with -f or --policy: the API server applies the policies that it has',
        );
      const { check } = await import('./check.ts');
      finish(await leavingOut(io, given, (walking) => check(given, walking)));
    });
  withExamples(command, [
    {
      what: 'Evaluate a pod against a policy, both from standard input',
      paste: `cappol check -f - <<'EOF'
apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: restricted}
spec: {namespaceSelector: {}, level: restricted}
---
apiVersion: v1
kind: Pod
metadata: {name: ping}
spec: {containers: [{name: ping, image: ping, securityContext: {capabilities: {add: [NET_RAW]}}}]}
EOF`,
    },
    {
      what: 'Evaluate a pod against a level of the Pod Security Standards, without a policy',
      paste: `cappol check -f - --level restricted <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: web}]}
EOF`,
    },
    { what: 'Evaluate all running workloads against the live policies', paste: 'cappol check --cluster -A' },
    {
      what: 'Also ask the API server, so that webhooks inject containers into pods of workloads without pods',
      paste: 'cappol check --cluster -A --dry-run=server',
    },
    {
      what: 'Show what a policy would change in the cluster, as Markdown for a pull request',
      paste: `cappol check --cluster -A -o markdown --policy - <<'EOF'
apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: restricted}
spec: {namespaceSelector: {}, level: restricted, mode: Enforce}
EOF`,
    },
  ]);
};

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
  'evaluate manifests, or what runs in a cluster, against CapabilityPolicies: who breaks which rule, where, and what would be accepted';

export const registerCheck: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('check')
    .summary('who breaks which rule, where, and what would be accepted; what a policy would change')
    .description(ABOUT)
    .addOption(options.filenames())
    .addOption(options.exclude())
    .addOption(
      new Option('--policy <file...>', 'policies to evaluate against, beside those among the manifests').default(
        [],
        'none',
      ),
    )
    .addOption(options.level().conflicts('policy'))
    .addOption(options.levelVersion())
    .option('--cluster', 'evaluate against the live policies, namespaces and RBAC; without -f, evaluate what runs')
    .addOption(
      options.namespace(
        "the namespace of manifests that state none (default: default); with --cluster, the namespace to evaluate (default: the context's)",
      ),
    )
    .addOption(options.allNamespaces('with --cluster and without -f: evaluate all namespaces'))
    .addOption(options.namespaceLabels())
    .addOption(
      new Option(
        '-o, --output <format>',
        'the format; table and wide fit a terminal, and print one line for each violation in a pipe',
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
        throw new UsageError('-A goes with --cluster and without -f: manifests state their namespaces');
      checkScope(given);
      if (given.levelVersion !== undefined && given.level === undefined)
        throw new UsageError('--level-version goes with --level');
      if (given.failOn.has('Opens') && !(given.cluster && given.policy.length > 0 && given.filename.length === 0))
        throw new UsageError('--fail-on Opens goes with --cluster and --policy, and without -f');
      const { check } = await import('./check.ts');
      finish(await leavingOut(io, given, (walking) => check(given, walking)));
    });
  withExamples(command, [
    {
      what: 'A pod and the policy for it, both from standard input',
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
      what: 'A pod by a level of the Pod Security Standards, without a policy',
      paste: `cappol check -f - --level restricted <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: web}]}
EOF`,
    },
    { what: 'Everything that runs, by the live policies', paste: 'cappol check --cluster -A' },
    {
      what: 'Changes that a policy would make in the cluster, for a pull request',
      paste: `cappol check --cluster -A -o markdown --policy - <<'EOF'
apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: restricted}
spec: {namespaceSelector: {}, level: restricted, mode: Enforce}
EOF`,
    },
  ]);
};

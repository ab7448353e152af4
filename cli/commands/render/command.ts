/** render: policies → the native objects that enforce them. */
import { Option } from 'commander';
import { type RegisterCommand, UsageError } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';

const ABOUT =
  'the objects that enforce policies without an operator, as YAML: ValidatingAdmissionPolicies, RBAC, and the labels of the namespaces in the same files; the same input always gives the same text';

const SAMPLE = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: restricted}
spec: {namespaceSelector: {}, level: restricted, mode: Enforce}`;

export const registerRender: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('render')
    .summary('the native objects that policies compile to; what would change in a cluster')
    .description(ABOUT)
    .addOption(
      new Option('--policy <file...>', 'policies: files, folders, or - for standard input').default([], 'none'),
    )
    .option('--diff', 'what an operator would change in the cluster; exit 1 if anything')
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .addOption(options.serverVersion())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .action(async (given) => {
      if (given.policy.length === 0 && !given.diff) throw new UsageError('nothing to render: name files with --policy');
      const { render } = await import('./render.ts');
      finish(await render(given, io));
    });
  withExamples(command, [
    {
      what: 'Enforced by Kubernetes alone',
      paste: `cappol render --policy - <<'EOF' | kubectl apply -f -\n${SAMPLE}\nEOF`,
    },
    { what: 'Changes in the cluster', paste: `cappol render --diff --policy - <<'EOF'\n${SAMPLE}\nEOF` },
  ]);
};

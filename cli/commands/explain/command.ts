/**
 * The command `explain` explains the actions that a capability permits, and finds the capabilities that containers end
 * up holding.
 */
import { Option } from 'commander';
import { jsonText } from '../../../analysis/text/printable-values.ts';
import { printable } from '../../../operator/text/printable.ts';
import { type ExitCode, type Io, type RegisterCommand, UsageError } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import { leavingOut } from '../../input/left-out.ts';
import type { Given } from '../../options.ts';
import * as options from '../../options.ts';
import { terminalOf } from '../../output/terminal.ts';
import type { ExplainOptions } from './pods.ts';
import type { TopicsOptions } from './topics.ts';

type GivenOptions = ExplainOptions & Given<TopicsOptions>;

const ABOUT =
  'explain a capability: what the capability permits, who may add the capability, and what to use instead. ' +
  'For files or a cluster, the output shows which capabilities each container holds on containerd, CRI-O and Docker, as root and as another user, and why. With evidence, the output shows which capabilities each container used. ' +
  'For names and a cluster, the output shows which containers hold a capability, or which pods violate a rule at a level. ' +
  'The output then also names the policy that admits a container or pod, with the end and the reason of the policy';

export const registerExplain: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('explain')
    .summary('what a capability permits, and which containers hold capabilities, and why')
    .description(ABOUT)
    .argument(
      '[name...]',
      'names of capabilities, such as NET_RAW. ALL means all capabilities. adminAccess means the namespace label that permits admin access to devices. With --cluster, names can also be rules, such as hostNetwork',
    )
    .addOption(options.filenames())
    .addOption(options.exclude())
    .addOption(
      new Option(
        '--policy <file...>',
        'with -f: policies with entries in spec.containers; the output names the entry that admits a container, even if the policy selects other namespaces',
      ).default([], 'none'),
    )
    .option('--cluster', 'read the workloads of the cluster instead of files')
    .addOption(options.namespace('with --cluster: the namespace to read (default: the namespace of the context)'))
    .addOption(options.allNamespaces('with --cluster: all namespaces'))
    .addOption(options.used("with --cluster and without a path, the evidence is Kubescape's profiles in the cluster"))
    .addOption(options.since())
    .addOption(
      new Option('-o, --output <format>', 'the format; csv requires names and --cluster')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .addOption(options.at())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .action(async (names: string[], given: GivenOptions) => finish(await explain(names, given, io)));
  withExamples(command, [
    { what: 'One capability', paste: 'cappol explain NET_RAW' },
    {
      what: 'The capabilities that a pod holds',
      paste: `cappol explain -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: ping}
spec:
  containers:
  - name: ping
    image: busybox
    securityContext:
      runAsUser: 1000
      capabilities: {drop: [ALL], add: [NET_RAW]}
EOF`,
    },
    {
      what: 'The containers that hold a capability, and the policies that admit the capability',
      paste: 'cappol explain NET_RAW --cluster -A',
    },
    {
      what: 'The pods that violate a rule, as CSV for a spreadsheet',
      paste: 'cappol explain hostPath --cluster -A -o csv > hostpath.csv',
    },
    {
      what: 'The namespaces with admin access to devices, and the policies that guard the label',
      paste: 'cappol explain adminAccess --cluster -A',
    },
    { what: 'The capabilities that running containers hold, and the capabilities that they used', paste: USED_EXAMPLE },
  ]);
};

const USED_EXAMPLE = `cat > observed.jsonl <<'EOF'
{"observed":"watch","namespace":"net","pod":"pinger-6d5f9c7b4-x7k2q","container":"ping","instance":"0a1b","from":"2026-11-01T10:00:00Z","to":"2026-11-09T10:00:00Z","started":true}
{"observed":"use","namespace":"net","pod":"pinger-6d5f9c7b4-x7k2q","container":"ping","capability":"NET_RAW","outcome":"granted","count":12,"last":"2026-11-08T09:00:00Z","example":{"command":"ping"}}
EOF
cappol explain --used observed.jsonl -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: pinger, namespace: net}
spec:
  selector: {matchLabels: {app: pinger}}
  template:
    metadata: {labels: {app: pinger}}
    spec:
      containers:
      - name: ping
        image: busybox
EOF`;

async function explain(names: readonly string[], options: GivenOptions, io: Io): Promise<ExitCode> {
  const { filename, cluster = false } = options;
  const asked = [names.length > 0 && !cluster, filename.length > 0, cluster].filter(Boolean);
  if (asked.length !== 1 || (names.length > 0 && filename.length > 0)) {
    throw new UsageError('name capabilities, such as NET_RAW, or a file with -f, or write --cluster');
  }
  if (options.policy.length > 0 && filename.length === 0) throw new UsageError('--policy requires -f');
  if (cluster && names.length > 0) {
    const { explainTopics } = await import('./topics.ts');
    return explainTopics(names, options, io);
  }
  if (options.output === 'csv') throw new UsageError('-o csv requires names and --cluster');
  if (options.at !== undefined) throw new UsageError('--at requires names and --cluster');
  if (names.length > 0) {
    if (options.used !== undefined) throw new UsageError('--used requires -f or --cluster');
    return explainNames(names, options, io);
  }
  if (!cluster && (options.namespace !== undefined || options.allNamespaces)) {
    throw new UsageError('-n and -A require --cluster');
  }
  const { explainPods } = await import('./pods.ts');
  return leavingOut(io, options, (walking) => explainPods(options, walking));
}

async function explainNames(names: readonly string[], { output }: GivenOptions, io: Io): Promise<ExitCode> {
  const { capabilityNamed, capabilityText, explained } = await import('./capability.ts');
  const { ADMIN_ACCESS_LABEL, isAdminAccess } = await import('../../../analysis/explain/admin-access.ts');
  const { labelText } = await import('./admin-access-text.ts');
  const labels = names.some(isAdminAccess) ? [ADMIN_ACCESS_LABEL] : [];
  const found = names.filter((name) => !isAdminAccess(name)).map(capabilityNamed);
  const capabilities = found.flatMap((one) => ('capabilities' in one ? one.capabilities : []));
  const terminal = terminalOf(io);
  const texts = [
    ...capabilities.map((one) => capabilityText(one, terminal)),
    ...labels.map((one) => labelText(one, terminal)),
  ];
  const values = {
    capabilities: capabilities.map(explained),
    ...(labels.length > 0 && { namespaceLabels: labels }),
  };
  const text = output === 'json' ? `${jsonText(values)}\n` : texts.join('\n');
  io.stdout.write(text);
  const wrong = found.flatMap((one) => ('wrong' in one ? [one.wrong] : []));
  for (const message of wrong) io.stderr.write(`cappol: ${printable(message)}\n`);
  return wrong.length > 0 ? 2 : 0;
}

/**
 * The command `suggest` proposes a level for each namespace, and exceptions for the workloads that need more than the
 * level admits.
 */
import { InvalidArgumentError, Option } from 'commander';
import { type RegisterCommand, UsageError } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import { leavingOut } from '../../input/left-out.ts';
import * as options from '../../options.ts';
import type { SuggestOptions } from './run.ts';
import { dayOrTime, durationAhead, reasonText } from './terms.ts';
import type { TightenOptions } from './tighten.ts';

type GivenOptions = Omit<SuggestOptions, 'output'> & TightenOptions;

const SUMMARY = 'the tightest policies that admit given workloads';
const ABOUT = `${SUMMARY}. For each namespace, the command writes a policy with one level for everybody. For workloads that need more, the command writes an exception for their service accounts. For each override, the output names the workload and the container that need the override, and says what would make the override unnecessary. The level is restricted if level restricted admits at least half of the workloads, or if level baseline would save fewer than three overrides. In namespaces where policies already decide, the command writes only the missing exceptions`;

export const registerSuggest: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('suggest')
    .summary(SUMMARY)
    .description(ABOUT)
    .addOption(options.filenames())
    .addOption(options.exclude())
    .addOption(
      new Option(
        '--policy <file...>',
        'policies that decide, in addition to the policies of the cluster; where these policies decide, the command suggests only exceptions',
      ).default([], 'none'),
    )
    .addOption(options.namespaceLabels())
    .option('--cluster', 'read the workloads of the cluster instead of files')
    .addOption(
      options.namespace(
        'the namespace of manifests that state no namespace (default: "default"); with --cluster, the namespace to read (default: the namespace of the context)',
      ),
    )
    .addOption(options.allNamespaces('with --cluster: all namespaces except the excluded ones'))
    .addOption(
      new Option(
        '--name <name>',
        'the beginning of the policies\' names (default: the name of the namespace, or "suggested")',
      ).argParser(policyName),
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'the mode of the policies (default: the mode of the policies that decide; Audit if no policy decides)',
      ).choices(['Audit', 'Warn', 'Enforce']),
    )
    .addOption(
      new Option(
        '--level <level>',
        'the level of every namespace where no policy decides (default: chosen for each namespace; restricted with --baseline)',
      ).choices(['restricted', 'baseline']),
    )
    .addOption(
      new Option('--expires <time>', 'when the exceptions end: a day, or a time (RFC 3339)').argParser(dayOrTime),
    )
    .addOption(
      new Option('--for <duration>', 'the duration after which the exceptions end, such as 30d').argParser(
        durationAhead,
      ),
    )
    .addOption(new Option('--reason <text>', 'the reason for the exceptions, such as a ticket').argParser(reasonText))
    .option(
      '--baseline [folder]',
      'with --cluster -A: write a folder with policies. One policy of mode Enforce is for all namespaces where no other policy decides. The other policies are exceptions for all running workloads (default folder: baseline)',
    )
    .option(
      '--narrow',
      'if the level admits more volume types, drivers or IDs than the workloads need, admit only the needed values',
    )
    .option(
      '--tighten',
      'with --cluster -A: suggest no new policies; print the policies of the cluster without the values, entries and subjects that no workload needs',
    )
    .addOption(
      options.used(
        "with --cluster and without a path, the evidence is Kubescape's profiles in the cluster. With evidence, the policies admit containers that keep the used capabilities and drop all other capabilities",
      ),
    )
    .addOption(options.since())
    .addOption(
      new Option(
        '-o, --output <format>',
        'yaml: the policies, with the reasons in comments; report: only the reasons; patch: commands that patch the policies (requires --tighten)',
      )
        .choices(['yaml', 'json', 'report', 'patch'])
        .default('yaml'),
    )
    .addOption(options.serverVersion())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .action(async ({ output, ...given }: GivenOptions) => {
      if (given.tighten) {
        const { runTighten } = await import('./tighten.ts');
        return finish(await runTighten({ ...given, output }, io));
      }
      if (output === 'patch') throw new UsageError('-o patch requires --tighten');
      const { runSuggest } = await import('./run.ts');
      finish(await leavingOut(io, given, (walking) => runSuggest({ ...given, output }, walking)));
    });
  withExamples(command, [
    {
      what: 'A level for one Deployment, with an exception for its service account',
      paste: `cappol suggest -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: pinger, namespace: net}
spec:
  selector: {matchLabels: {app: pinger}}
  template:
    metadata: {labels: {app: pinger}}
    spec:
      serviceAccountName: pinger
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: ping
        image: busybox
        securityContext:
          allowPrivilegeEscalation: false
          capabilities: {drop: [ALL], add: [NET_RAW]}
EOF`,
    },
    {
      what: 'Apply policies for the running workloads of a namespace, in mode Audit if no policy decides there',
      paste: 'cappol suggest --cluster -n net | kubectl apply -f -',
    },
    {
      what: 'Exceptions to a policy for the workloads of a chart, for 90 days',
      paste: `cat > everywhere.yaml <<'EOF'
apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: everywhere}
spec: {namespaceSelector: {}, level: restricted, mode: Enforce}
EOF
cappol suggest --policy everywhere.yaml --for 90d --reason TICKET-123 -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: net}
spec: {containers: [{name: web, image: registry.example/web:1}]}
EOF`,
    },
    {
      what: 'Exceptions for all running workloads of a cluster, and a policy of level restricted for all other pods',
      paste: 'cappol suggest --cluster -A --baseline debt',
    },
    {
      what: 'A policy without the capabilities that are unused according to Inspektor Gadget',
      paste: `cat > trace.jsonl <<'EOF'
{"k8s":{"namespace":"net","podName":"pinger-6d5f9c7b4-x7k2q","containerName":"ping"},"timestamp":"2026-11-01T10:00:00Z","proc":{"comm":"runc:[2:INIT]"},"cap":"CAP_SYS_ADMIN","capable":true,"audit":1}
{"k8s":{"namespace":"net","podName":"pinger-6d5f9c7b4-x7k2q","containerName":"ping"},"timestamp":"2026-11-01T12:00:00Z","proc":{"comm":"ping"},"cap":"CAP_NET_RAW","capable":true,"audit":1,"syscall":"SYS_SOCKET"}
EOF
cappol suggest --used trace.jsonl -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: pinger, namespace: net}
spec:
  selector: {matchLabels: {app: pinger}}
  template:
    metadata: {labels: {app: pinger}}
    spec:
      serviceAccountName: pinger
      containers:
      - name: ping
        image: busybox
EOF`,
    },
    {
      what: 'Commands that remove values from the policies of a cluster if no workload needs the values',
      paste: 'cappol suggest --cluster -A --tighten -o patch',
    },
    { what: 'The reasons for the exceptions', paste: 'cappol suggest --cluster -A -o report' },
  ]);
};

function policyName(text: string): string {
  if (/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('write at most 63 lower case letters, digits, hyphens and dots.');
}

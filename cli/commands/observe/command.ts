/**
 * The command `observe` records the capabilities that the containers of a node use. The kernel's capability checks show
 * when a container uses a capability.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ExitCode, type Io, type RegisterCommand, UsageError } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';
import { VERSION } from '../../version.ts';
import type { ObserveOptions } from './options.ts';

const ABOUT = `record the capabilities that containers use. The records show the capability checks that the kernel made for each container, the outcome of each check, and an example. If a check does not show a need, the record gives the reason. The command runs as root on a node, and reads the kernel's tracepoint capability:cap_capable (Linux 6.14 and newer). With --cluster, a Job reads the tracepoint on the nodes of a cluster. The output is for \`cappol suggest --used\` and \`cappol explain --used\``;

/** The size of the buffer in kB, with room for about 20,000 checks with their stacks. */
const BUFFER_KB = 4096;

export const registerObserve: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('observe')
    .summary('the capabilities that the containers of a node or a cluster use')
    .description(ABOUT)
    .addOption(
      new Option('--for <duration>', 'the duration, such as 90s or 1h30m (default: until Ctrl-C)').argParser(
        options.runningTime,
      ),
    )
    .addOption(options.namespace('only the containers of this namespace'))
    .addOption(
      new Option(
        '-o, --output <format>',
        'json: one object per line; raw: one object per line, without names of containers, for a node without a cluster',
      )
        .choices(['json', 'table', 'raw'])
        .default('json'),
    )
    .option(
      '--cluster',
      'observe the nodes of a cluster: run a Job with a pod on each node, and collect the records of the pods',
    )
    .option('--node <name...>', 'with --cluster: only these nodes (default: all nodes that run Linux)')
    .addOption(
      new Option(
        '--image <name>',
        "with --cluster: the image of the Job's pods, for example from your own registry",
      ).default(`ghcr.io/capabilitypolicy/cappol:v${VERSION}`),
    )
    .option(
      '--log <file...>',
      'with --cluster: run no Job; read these logs of config/observe/job.yaml, and add names to the records',
    )
    .option(
      '--cgroup <path>',
      'also observe each control group NAMESPACE/POD/CONTAINER below this path, for containers that no kubelet started',
    )
    .option('--tracefs <folder>', 'the folder where tracefs is mounted (default: the folder in /proc/self/mounts)')
    .addOption(
      new Option('--buffer-size <KiB>', "the size of the kernel's event buffer for each processor")
        .argParser(kibibytes)
        .default(BUFFER_KB),
    )
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .action(async (given: ObserveOptions) => {
      refuseOthers(command, given);
      finish(await observe(given, io));
    });
  withExamples(command, [
    {
      what: 'Record which capabilities all containers of this node use within ten minutes',
      paste: 'sudo cappol observe --for 10m > used.jsonl',
    },
    {
      what: 'Record the used capabilities on all nodes of a cluster, and suggest policies for these capabilities',
      paste: 'cappol observe --cluster --for 1h > used.jsonl\ncappol suggest --cluster -A --used used.jsonl',
    },
    {
      what: 'Print a table of the used capabilities on this node, until Ctrl-C',
      paste: 'sudo cappol observe -n net -o table',
    },
  ]);
};

async function observe(given: ObserveOptions, io: Io): Promise<ExitCode> {
  if (given.cluster && given.log) {
    const { nameLogs } = await import('./logs.ts');
    return nameLogs(given.log, given, io);
  }
  if (given.cluster) {
    const { observeCluster } = await import('./cluster.ts');
    return observeCluster(given, io);
  }
  const { runObserve } = await import('./run.ts');
  return runObserve(given, io);
}

/** Lists the flags that have no effect, for each way to observe. Each flag has a hint on what to use instead. */
const WITHOUT = {
  node: {
    flags: ['--image', '--node', '--log', '--kubeconfig', '--context'],
    hint: 'requires --cluster: add --cluster, or',
  },
  cluster: {
    flags: ['--cgroup', '--tracefs', '-o raw'],
    hint: 'cannot be combined with --cluster: run cappol observe on the node itself, or',
  },
  log: {
    flags: ['--for', '--node', '--image', '--buffer-size', '--cgroup', '--tracefs', '-o raw'],
    hint: 'cannot be combined with --log, which reads an earlier observation:',
  },
} as const;

/** @throws UsageError for a flag that has no effect in the chosen way to observe */
function refuseOthers(command: Command, { cluster, log, output }: ObserveOptions): void {
  const { flags, hint } = WITHOUT[cluster ? (log ? 'log' : 'cluster') : 'node'];
  const given = new Set(
    command.options
      .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
      .map(({ long }) => (long === '--output' ? `-o ${output}` : long)),
  );
  const ignored = flags.find((flag) => given.has(flag));
  if (ignored !== undefined) throw new UsageError(`${ignored} ${hint} leave out ${ignored}`);
}

function kibibytes(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('write a number of KiB, such as 4096.');
}

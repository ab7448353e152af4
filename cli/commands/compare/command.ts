/**
 * The command `compare` compares two sets of policies. The command shows which pods a change newly admits, and which
 * pods the change newly refuses.
 */
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_LIMIT } from '../../../analysis/compare/limits.ts';
import { type RegisterCommand, UsageError } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import { leavingOut } from '../../input/left-out.ts';
import * as options from '../../options.ts';
import { FAIL_ON, FINDINGS, OUTPUTS } from './choices.ts';

const ABOUT =
  'what the policies NEW admit that the policies OLD refuse (opens), and the reverse (closes), each with the smallest pod that shows it; where nothing is shown, both are proved to be the same; between two snapshots, also what changed in the cluster. Without NEW: the policies in OLD that decide nowhere, admit nothing, or make no difference. OLD and NEW are each a file, a folder, - for standard input, `git:COMMIT:PATH` for a file or folder of a commit, a snapshot, `cluster` or `cluster:CONTEXT`, or a level such as `restricted` or `baseline:v1.30`';

const EXIT_CODES = `
Exit codes: 0 no such difference, 1 a difference that --fail-on names, 2 wrong input, or not decided.
Without NEW: 0 also with findings, 1 with findings and --fail-on findings, 2 wrong input, or not decided with --fail-on findings.`;

export const registerCompare: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('compare')
    .summary(
      'which pods a change of policies newly admits or refuses, proved for all pods; and which policies have no effect',
    )
    .description(ABOUT)
    .argument('<old>', 'the policies before the change')
    .argument('[new]', 'the policies after the change; without it, the findings about OLD')
    .addOption(
      new Option(
        '--fail-on <difference>',
        'when to exit 1: if NEW opens something, if NEW closes something, or in both cases; without NEW, if there are findings',
      )
        .choices([...FAIL_ON, FINDINGS])
        .default('opens'),
    )
    .option(
      '--all',
      'show a pod for each rule and each policy that admits it, not only for each rule; and all lines of long lists',
    )
    .addOption(
      new Option('--limit <count>', 'examine at most this number of pods; other questions remain undecided')
        .argParser(count)
        .default(DEFAULT_LIMIT),
    )
    .addOption(
      new Option(
        '--timeout <duration>',
        'compare for at most this time, such as 30s or 5m, and show what is found; everything else remains undecided (default: no timeout)',
      ).argParser(options.runningTime),
    )
    .addOption(new Option('-o, --output <format>', 'how to print').choices(OUTPUTS).default('text'))
    .addOption(options.at())
    .addOption(options.serverVersion().default(undefined, "the cluster's or the snapshot's; otherwise the newest"))
    .addOption(options.operatorNamespaceOrOfSnapshot())
    .addOption(options.excludedNamespaces())
    .addOption(options.kubeconfig())
    .addHelpText('after', EXIT_CODES)
    .action(async (old, now, given) => {
      const isStated = command.getOptionValueSource('failOn') === 'cli';
      if (now === undefined) {
        const { runFindings } = await import('./findings.ts');
        const stated = { ...given, failOn: isStated ? given.failOn : undefined };
        finish(await leavingOut(io, {}, (walking) => runFindings(old, stated, walking)));
        return;
      }
      if (given.failOn === FINDINGS) throw new UsageError(`--fail-on ${FINDINGS} is for one set: leave out NEW`);
      const { runCompare } = await import('./run.ts');
      finish(await leavingOut(io, {}, (walking) => runCompare(old, now, given, walking)));
    });
  withExamples(command, [
    { what: 'Changes of a level since an earlier version', paste: 'cappol compare restricted:v1.34 restricted' },
    {
      what: 'Pods that a policy admits and its level refuses',
      paste: `cappol compare restricted - --fail-on differs <<'EOF'
apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: restricted}
spec: {namespaceSelector: {}, level: restricted, mode: Enforce, overrides: {hostNetwork: true}}
EOF`,
    },
    { what: 'Policies in a cluster that you can delete', paste: 'cappol compare cluster' },
    {
      what: 'Pods that the files of a pull request would admit in a cluster',
      paste: 'cappol compare cluster policies/',
    },
  ]);
};

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('write a whole number above 0.');
  return Number(text);
}

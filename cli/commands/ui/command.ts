/** The command `ui` serves a page on this machine that shows clusters. */
import { InvalidArgumentError } from 'commander';
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';
import type { UiOptions } from './run.ts';

const ABOUT =
  'show a cluster as a page that follows the changes of the cluster. The page shows the policies, the workloads that violate the policies, the capabilities that containers hold, and what another policy would change. The command prints a link to a server on this machine. The server reads the cluster with your rights';

const MOST_PORT = 65_535;

export const registerUi: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('ui')
    .summary('show a cluster as a live page on this machine')
    .description(ABOUT)
    .option('--port <number>', 'the port of the server (default: any free port)', port, 0)
    .addOption(
      options.used(
        "the evidence counts in each context; without a path, the evidence is Kubescape's profiles in each cluster",
      ),
    )
    .addOption(options.since())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .addOption(options.kubeconfig())
    .addOption(options.contexts())
    .action(async (given: UiOptions) => {
      const { ui } = await import('./run.ts');
      finish(await ui(given, io));
    });
  withExamples(command, [
    { what: 'The cluster of the current context', paste: 'cappol ui' },
    { what: 'Two clusters side by side', paste: 'cappol ui --context staging,production' },
    { what: 'The cluster, with the capabilities that processes used', paste: 'cappol ui --used observed.jsonl' },
  ]);
};

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= MOST_PORT) return number;
  throw new InvalidArgumentError(`write a number up to ${MOST_PORT}.`);
}

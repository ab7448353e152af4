/** The command `snapshot` prints a cluster as one JSON document. */
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';

const ABOUT =
  'the policies, namespaces and workloads of a cluster, with the verdicts, findings and capabilities of each, as one JSON document without environment variables, Secrets or pull secrets';

export const registerSnapshot: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('snapshot')
    .summary('a cluster and all verdicts as one JSON document')
    .description(ABOUT)
    .option(
      '--directory <folder>',
      'write a compressed file, named by the time, into this folder instead of printing the document; print the path of the file',
    )
    .addOption(options.at())
    .addOption(options.used("without a path: Kubescape's profiles in the cluster"))
    .addOption(options.since())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .action(async (given) => {
      const { snapshot } = await import('./run.ts');
      finish(await snapshot(given, io));
    });
  withExamples(command, [
    { what: 'The whole cluster, compressed', paste: 'cappol snapshot | gzip > cluster.json.gz' },
    { what: 'One of a series of snapshots', paste: 'cappol snapshot --directory snapshots' },
    {
      what: 'With the capabilities that processes used',
      paste: 'cappol snapshot --used observed.jsonl > cluster.json',
    },
  ]);
};

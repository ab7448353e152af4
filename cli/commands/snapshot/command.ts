/** The command `snapshot` prints a cluster as one JSON document. */
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';

const ABOUT =
  'print the policies, namespaces and workloads of a cluster as one JSON document. The document also contains the verdicts, findings and capabilities of each workload. The document contains no environment variables, Secrets or pull secrets';

export const registerSnapshot: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('snapshot')
    .summary('a cluster and all verdicts as one JSON document')
    .description(ABOUT)
    .option(
      '--directory <folder>',
      'write the document as a compressed file into this folder, and print the path of the file; the name of the file contains the time',
    )
    .addOption(options.at())
    .addOption(options.used("without a path, the evidence is Kubescape's profiles in the cluster"))
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
    { what: 'Add a snapshot to a series of snapshots in a folder', paste: 'cappol snapshot --directory snapshots' },
    {
      what: 'A snapshot with the capabilities that processes used',
      paste: 'cappol snapshot --used observed.jsonl > cluster.json',
    },
  ]);
};

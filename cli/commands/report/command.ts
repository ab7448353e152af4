/** The command `report` writes one HTML page that shows clusters. */
import { Option } from 'commander';
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';
import type { ReportOptions } from './run.ts';

const ABOUT =
  'write one HTML file that shows a cluster: its policies, the workloads that violate them, and the capabilities that its containers hold. If CapabilityPolicy is not installed in the cluster, the file shows what the levels baseline and restricted would refuse. A browser can open the file without a server, and the file sends no request';

export const registerReport: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('report')
    .summary('write one HTML file that shows a cluster and all verdicts')
    .description(ABOUT)
    .requiredOption('--html <file>', 'the HTML file, or - for standard output')
    .addOption(
      new Option(
        '--from <file...>',
        'instead of a cluster, read the output of `cappol snapshot`, plain or compressed by gzip',
      ).conflicts(['at', 'context', 'kubeconfig']),
    )
    .addOption(options.at())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .addOption(options.kubeconfig())
    .addOption(options.contexts())
    .action(async (given: ReportOptions) => {
      const { report } = await import('./run.ts');
      finish(await report(given, io));
    });
  withExamples(command, [
    { what: 'The cluster of the current context', paste: 'cappol report --html report.html' },
    { what: 'Two clusters side by side', paste: 'cappol report --html report.html --context staging,production' },
    {
      what: 'A cluster from a snapshot of another user',
      paste: 'cappol report --html report.html --from cluster.json.gz',
    },
  ]);
};

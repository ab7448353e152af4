/** The command `report` writes one HTML page that shows clusters. */
import { Option } from 'commander';
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';
import type { ReportOptions } from './run.ts';

const ABOUT =
  'a cluster as one HTML file to look at: its policies, who breaks them, and the capabilities that its containers hold. Without CapabilityPolicy in the cluster it shows what the levels baseline and restricted would refuse. The file opens in a browser without a server, and makes no request';

export const registerReport: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('report')
    .summary('a cluster and all verdicts as one HTML file to look at')
    .description(ABOUT)
    .requiredOption('--html <file>', 'where to write it; - for standard output')
    .addOption(
      new Option(
        '--from <file...>',
        'the output of cappol snapshot, also compressed by gzip, instead of a cluster',
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
      what: 'A cluster that somebody else has read',
      paste: 'cappol report --html report.html --from cluster.json.gz',
    },
  ]);
};

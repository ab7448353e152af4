/** The command `version` prints the versions of this program, of its data, and of a cluster. */
import { Option } from 'commander';
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';

export const registerVersion: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('version')
    .summary('the versions of cappol, of its data, and of a cluster')
    .description('print the versions of cappol, of its Pod Security Standards and capabilities, and of a cluster')
    .option('--cluster', 'also print the versions of the API servers')
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .action(async (given) => {
      const { printVersions } = await import('./versions.ts');
      await printVersions(given, io);
      finish(0);
    });
  withExamples(command, [{ what: 'The versions that are known without a cluster', paste: 'cappol version' }]);
};

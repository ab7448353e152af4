/**
 * The command `status` shows the live policies, the workloads that violate them, and the subjects that may use them.
 */
import { Option } from 'commander';
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';
import type { StatusOptions } from './run.ts';

const ABOUT = `show the policies of a cluster, and in each namespace the workloads that violate the policies. The command evaluates workloads like the operator. The output also shows who may use each policy, and who may use every policy by a wildcard. If CapabilityPolicy is not installed in the cluster, the output shows who holds which capability, and what the levels baseline and restricted would refuse. With -o compliance, the output shows the recommendations of the CIS Kubernetes Benchmark and of the guide of NSA and CISA, as far as rules cover the recommendations. For each recommendation, the output lists the workloads that pass, the workloads that fail, and the workloads that a policy excepts, with the reason and the end of the policy`;

export const registerStatus: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('status')
    .summary('show the live policies, the workloads that violate them, and who may use them')
    .description(ABOUT)
    .argument('[policy]', 'show only this policy, with all details')
    .addOption(
      options.namespace(
        'show only this namespace and the policies for this namespace (default: the namespace of the context)',
      ),
    )
    .addOption(options.allNamespaces('all namespaces (the default if the command names a policy)'))
    .option('-w, --watch', 'print again whenever something changes')
    .addOption(
      new Option(
        '-o, --output <format>',
        'the format; compliance prints a summary for each recommendation of hardening guides',
      )
        .choices(['table', 'wide', 'json', 'yaml', 'compliance', 'compliance-json'])
        .default('table'),
    )
    .addOption(options.at())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .action(async (policy: string | undefined, given: StatusOptions) => {
      const { runStatus } = await import('./run.ts');
      finish(await runStatus(policy, given, io));
    });
  withExamples(command, [
    { what: 'Every policy, and every workload that violates one', paste: 'cappol status -A' },
    { what: 'One namespace', paste: 'cappol status -n default' },
    {
      what: 'The state at a later time, when policies have expired',
      paste: 'cappol status -A --at 2027-01-31T00:00:00Z',
    },
    { what: 'Print the state again at each change', paste: 'cappol status -A --watch' },
    { what: 'The state as JSON, for a program', paste: 'cappol status -A -o json' },
    { what: 'For an audit: a summary by recommendations of CIS and NSA', paste: 'cappol status -A -o compliance' },
  ]);
};

/** The command `render` prints the native objects that enforce policies. */
import { InvalidArgumentError, Option } from 'commander';
import { OPERATOR_ACCOUNT } from '../../../operator/model/namespaces.ts';
import { type RegisterCommand, UsageError } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';
import type { RenderOptions } from './options.ts';

const ABOUT =
  'print the objects that enforce policies without an operator, as YAML. The objects are the role of each policy, the programs, and the labels of the namespaces among the files. A program is an admission policy with a row for each policy. The programs are the guard, defaulting, and one program for each mode. The output depends only on the input';

const SAMPLE = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: restricted}
spec: {namespaceSelector: {}, level: restricted, mode: Enforce}`;

export const registerRender: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('render')
    .summary('print the programs and rows that policies compile to, or the changes in a cluster')
    .description(ABOUT)
    .addOption(
      new Option('--policy <file...>', 'policies: files, folders, or - for standard input').default([], 'none'),
    )
    .option('--diff', 'print the changes that an operator would make in the cluster; exit with 1 if there is a change')
    .option(
      '--static',
      'print files for API servers. The files protect the objects that an operator renders; with --policy, the files contain the policies instead',
    )
    .option('--directory <folder>', 'write the files of --static into this folder instead of printing them')
    .addOption(
      new Option('--mounted-at <folder>', 'the folder in which API servers find the files of --static')
        .argParser(absolute)
        .default('/etc/kubernetes/capabilitypolicy'),
    )
    .addOption(
      new Option(
        '--operator-service-account <name...>',
        'with --static: the service account that may write the protected objects, as NAME or NAMESPACE/NAME; name two accounts while you rename the operator',
      ).default([OPERATOR_ACCOUNT], OPERATOR_ACCOUNT),
    )
    .addOption(
      new Option(
        '--protect-policies <name...>',
        'with --static: only holders of the verb "exempt" may change or delete these CapabilityPolicies',
      ).default([], 'none'),
    )
    .addOption(options.kubeconfig())
    .addOption(options.context())
    .addOption(options.at())
    .addOption(options.serverVersion())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .action(async (given) => {
      refuseMixed(given);
      const { render } = await import('./render.ts');
      finish(await render(given, io));
    });
  withExamples(command, [
    {
      what: 'Enforced by Kubernetes alone',
      paste: `cappol render --policy - <<'EOF' | kubectl apply -f -\n${SAMPLE}\nEOF`,
    },
    {
      what: 'Files for API servers, so that nobody can remove the protection',
      paste: 'cappol render --static',
    },
    { what: 'Changes in the cluster', paste: `cappol render --diff --policy - <<'EOF'\n${SAMPLE}\nEOF` },
  ]);
};

function refuseMixed({
  policy,
  diff,
  static: files,
  directory,
  protectPolicies,
}: Omit<RenderOptions, 'excludedNamespaces'>) {
  if (policy.length === 0 && !diff && !files) throw new UsageError('nothing to render: name files with --policy');
  if (files && diff)
    throw new UsageError(
      '--diff compares with a cluster, and a cluster does not show the files of --static: leave out one of the two options',
    );
  if (!files && directory !== undefined) throw new UsageError('--directory requires --static: add --static');
  if (protectPolicies.length > 0 && (!files || policy.length > 0))
    throw new UsageError('--protect-policies requires --static, and cannot be combined with --policy');
}

/** Accepts only absolute paths, because API servers refuse relative paths. */
function absolute(path: string): string {
  if (!path.startsWith('/')) throw new InvalidArgumentError('write an absolute path.');
  return path.replace(/(?<=.)\/+$/, '');
}

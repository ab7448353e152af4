/** The command `fix` edits manifests so that policies admit their workloads. */
import { InvalidArgumentError, Option } from 'commander';
import { FIX_CLASSES, type FixClass } from '../../../operator/rules/rule.ts';
import { type RegisterCommand, UsageError } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import { leavingOut } from '../../input/left-out.ts';
import * as options from '../../options.ts';
import { OUTPUTS } from './outputs.ts';

const ABOUT = `edit manifests so that CapabilityPolicies, or a level of the Pod Security Standards, admit their workloads. Only fields that cause a violation change; comments, quotes, order and line breaks stay. Each edit has a class. Class spelling: the edit writes a capability in the spelling of Kubernetes. Class safe: no program is known to depend on the old value. Class check: something may stop working, and the output says what. If no edit can end a violation, the output gives the reason`;

const EXIT_CODES = `
Exit codes: 0 the manifests comply, at least after --write or with the patches; 1 a violation is left, or the printed diff has to be applied; 2 the input or the command line is wrong.`;

export const registerFix: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('fix')
    .summary('edit manifests so that they comply: print a diff, change the files, or write patches for kustomize')
    .description(ABOUT)
    .addOption(options.filenames())
    .addOption(options.exclude())
    .addOption(
      new Option(
        '--policy <file...>',
        'policies to comply with, in addition to the policies among the manifests',
      ).default([], 'none'),
    )
    .addOption(options.level().conflicts('policy'))
    .addOption(options.levelVersion())
    .addOption(
      options.used(
        'with evidence, containers keep the used capabilities and drop all other capabilities, even if no policy requires this',
      ),
    )
    .addOption(options.since())
    .addOption(only())
    .option('--write', 'edit the files instead of printing a diff')
    .addOption(
      new Option(
        '-o, --output <format>',
        'diff: a diff for `patch` or `git apply`; manifests: the whole text with the edits; kustomize: a kustomization with patches, for manifests that cannot be edited; json: the edits, and the violations that are left',
      )
        .choices(OUTPUTS)
        .default('diff'),
    )
    .option(
      '--directory <folder>',
      'with -o kustomize: write the kustomization and its patches as files into this folder',
    )
    .addOption(options.namespace('the namespace of manifests that state no namespace (default: "default")'))
    .addOption(
      new Option('--namespace-labels <list>', 'KEY=VALUE,…: labels of namespaces that are not among the manifests')
        .argParser(options.labels)
        .default({}, 'none'),
    )
    .addOption(options.at())
    .addOption(options.serverVersion())
    .addOption(options.operatorNamespace())
    .addOption(options.excludedNamespaces())
    .addHelpText('after', EXIT_CODES)
    .action(async (given) => {
      if (given.filename.length === 0) throw new UsageError('nothing to fix: name files with -f');
      if (given.levelVersion !== undefined && given.level === undefined)
        throw new UsageError('--level-version requires --level');
      if (given.write && given.output !== 'diff')
        throw new UsageError(
          `--write edits the files and -o ${given.output} prints the result: use only one of the two`,
        );
      if (given.write && given.filename.includes('-'))
        throw new UsageError('--write cannot edit standard input: use -o manifests');
      if (given.directory !== undefined && given.output !== 'kustomize')
        throw new UsageError('--directory requires -o kustomize');
      const { fix } = await import('./fix.ts');
      finish(await leavingOut(io, given, (walking) => fix(given, walking)));
    });
  withExamples(command, [
    {
      what: 'Print the edits that make a Deployment comply with level restricted',
      paste: `cappol fix -f - --level restricted <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web # the shop
          image: nginx
          securityContext:
            capabilities: {add: [CAP_NET_BIND_SERVICE]}
EOF`,
    },
    {
      what: 'Make only edits without risk, and write them into the file',
      paste: `cat >pod.yaml <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: nginx}]}
EOF
cappol fix -f pod.yaml --level restricted --only spelling,safe --write`,
    },
    {
      what: 'Patches for manifests that a chart renders again and again',
      paste: `cat >manifests.yaml <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: nginx}]}
EOF
cappol fix -f manifests.yaml --level restricted -o kustomize >kustomization.yaml`,
    },
  ]);
};

function only(): Option {
  const option = new Option('--only <list>', 'the classes of edits to make')
    .argParser(classes)
    .default(new Set(FIX_CLASSES), FIX_CLASSES.join(','));
  // Only shell completion reads `argChoices`. The method `.choices()` cannot be used, because it would refuse a list of
  // several values.
  option.argChoices = [...FIX_CLASSES];
  return option;
}

function classes(text: string): ReadonlySet<FixClass> {
  return new Set(
    text.split(',').map((one) => {
      const found = FIX_CLASSES.find((known) => known === one.trim().toLowerCase());
      if (found) return found;
      throw new InvalidArgumentError(`${JSON.stringify(one)} is not one of ${FIX_CLASSES.join(', ')}.`);
    }),
  );
}

/** Runs `suggest --baseline`: writes the exceptions of a whole cluster into a folder, for users to review and apply. */
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SuggestedPolicy } from '../../../analysis/suggest/policies.ts';
import type { Mode } from '../../../operator/api/capability-policy.ts';
import { counted } from '../../../operator/text/wording.ts';
import { type Io, UsageError } from '../../command.ts';
import { makeFolders } from '../../output/make-folders.ts';
import { type Printed, yamlText } from './output.ts';

export interface BaselineOptions {
  /**
   * The folder of --baseline. If --baseline is given without a folder, the value is `true`. The default folder is then
   * used.
   */
  readonly baseline?: string | true;
  readonly cluster?: boolean;
  readonly allNamespaces?: boolean;
  readonly mode?: Mode;
  readonly output: 'yaml' | 'json' | 'report';
}

const DEFAULT_FOLDER = 'baseline';

interface BaselineFile {
  readonly name: string;
  readonly policies: readonly SuggestedPolicy[];
}

/**
 * The folder of --baseline. If the option --baseline is not given, the result is undefined.
 *
 * @throws UsageError for options that cannot be combined with --baseline
 */
export function baselineFolder({
  baseline,
  cluster,
  allNamespaces,
  output,
  mode,
}: BaselineOptions): string | undefined {
  if (baseline === undefined) return undefined;
  if (!cluster || !allNamespaces) throw new UsageError('--baseline requires --cluster -A');
  if (output !== 'yaml') throw new UsageError(`--baseline writes YAML files: leave out -o ${output}`);
  if (mode !== undefined && mode !== 'Enforce') {
    throw new UsageError(`--baseline writes policies of mode Enforce: leave out --mode ${mode}`);
  }
  return baseline === true ? DEFAULT_FOLDER : baseline;
}

/**
 * Writes a file for each namespace with exceptions, and a file for each policy that the exceptions loosen. `kubectl
 * apply -f FOLDER` reads files in the order of their names. In this order, a file with exceptions comes before the
 * files of the policies that the exceptions loosen.
 */
export function writeBaseline(folder: string, printed: Printed, io: Io): void {
  const files = filesOf(printed.policies);
  if (files.length === 0) {
    io.stdout.write(yamlText(printed));
    return;
  }
  const paths = files.map(({ name }) => join(folder, name));
  const existing = paths.find((path) => existsSync(resolve(io.cwd, path)));
  if (existing !== undefined) {
    throw new UsageError(
      `--baseline does not overwrite the existing file ${existing}: name another folder, or remove the file`,
    );
  }
  makeFolders(resolve(io.cwd, folder));
  for (const { name, policies } of files) {
    writeFileSync(
      resolve(io.cwd, folder, name),
      yamlText({ ...printed, policies, suggestions: suggestionsIn(policies, printed) }),
      { flag: 'wx' },
    );
    io.stdout.write(`${join(folder, name)}: ${policiesText(policies)}\n`);
  }
}

/** The suggestions for the exceptions that one file contains. The comments in the file describe the suggestions. */
function suggestionsIn(policies: readonly SuggestedPolicy[], { suggestions }: Printed): Printed['suggestions'] {
  return suggestions.filter((one) =>
    policies.some(({ exception, suggestions: own }) => exception && own.includes(one)),
  );
}

function filesOf(policies: readonly SuggestedPolicy[]): BaselineFile[] {
  const exceptions = policies.filter(({ exception }) => exception);
  const byNamespace = Map.groupBy(exceptions, ({ suggestions: [first] }) => first?.namespace ?? '');
  const others = policies.filter(({ exception }) => !exception);
  return [
    ...[...byNamespace].map(([namespace, own]) => ({ name: `exceptions-${namespace}.yaml`, policies: own })),
    ...others.map((one) => ({ name: `policy-${one.policy.metadata?.name}.yaml`, policies: [one] })),
  ];
}

function policiesText(policies: readonly SuggestedPolicy[]): string {
  const [first] = policies;
  return first?.exception ? counted(policies.length, 'exception') : `policy ${first?.policy.metadata?.name}`;
}

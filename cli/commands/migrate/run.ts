/** Runs `migrate`: reads the objects, migrates them, prints the result, and lists the next steps. */
import type { InputObject } from '../../../analysis/manifests/document-objects.ts';
import { type Trouble, troubleText } from '../../../analysis/manifests/trouble.ts';
import { type InputProblem, problemText } from '../../../analysis/migrate/invalid-input.ts';
import { InvalidInput, type Migration, migrate } from '../../../analysis/migrate/migrate.ts';
import type { Mode } from '../../../operator/api/capability-policy.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { readManifests } from '../../input/manifests.ts';
import { terminalOf } from '../../output/terminal.ts';
import { listText, noteText, reportText } from './output.ts';
import { nextSteps } from './steps.ts';
import { yamlText } from './yaml.ts';

export interface MigrateOptions {
  readonly filename: readonly string[];
  readonly mode: Mode;
  /**
   * The labels by which the policies select namespaces. If the labels are undefined, the policies select every
   * namespace.
   */
  readonly namespaceSelector?: Readonly<Record<string, string>>;
  readonly output: 'yaml' | 'json' | 'report';
  readonly strict?: boolean;
}

const PRINTERS = { yaml: yamlText, json: listText, report: reportText };

const MIGRATED = ['PodSecurityPolicy', 'SecurityContextConstraints'];
const KINDS = [...MIGRATED, 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];

export async function runMigrate(options: MigrateOptions, io: Io): Promise<ExitCode> {
  const { filename, mode, namespaceSelector, output, strict } = options;
  if (filename.length === 0) throw new UsageError('nothing to migrate: name files with -f');
  const manifests = await read(filename, io);
  const migration = attempt(manifests, {
    mode,
    ...(namespaceSelector && { namespaceSelector: { matchLabels: { ...namespaceSelector } } }),
  });
  const inexact = migration.notes.filter(({ exact }) => !exact);
  if (strict && inexact.length > 0 && output !== 'report') {
    for (const note of inexact) io.stderr.write(`cappol: ${noteText(note)}\n`);
    return 1;
  }
  io.stdout.write(PRINTERS[output](migration, terminalOf(io)));
  io.stderr.write(nextSteps(migration, mode));
  return strict && inexact.length > 0 ? 1 : 0;
}

/**
 * Reads the objects to migrate. If an input cannot be read completely, the command migrates no object. The unreadable
 * part of the input might tighten or loosen the policies.
 */
async function read(paths: readonly string[], io: Io): Promise<InputObject[]> {
  const manifests: InputObject[] = [];
  const troubles: Trouble[] = [];
  for await (const manifest of readManifests(paths, io, { tell: (trouble) => troubles.push(trouble) })) {
    if (KINDS.includes(manifest.object.kind)) manifests.push(manifest);
  }
  if (troubles.length > 0) throw new UsageError(troubles.map(troubleText).join('\n'));
  if (!manifests.some(({ object }) => MIGRATED.includes(object.kind)))
    throw new UsageError(`nothing to migrate: no ${MIGRATED.join(' and no ')} in ${paths.join(', ')}`);
  return manifests;
}

function attempt(manifests: readonly InputObject[], options: Parameters<typeof migrate>[1]): Migration {
  try {
    return migrate(
      manifests.map(({ object }) => object),
      options,
    );
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw new UsageError(error.problems.map((problem) => placedText(problem, manifests)).join('\n'));
  }
}

/**
 * A problem with its position:
 * `psp.yaml:12: PodSecurityPolicy/restricted: spec.runAsUser.rule: Unsupported value: …`.
 */
function placedText(problem: InputProblem, manifests: readonly InputObject[]): string {
  const { file, lineOf } = manifests[problem.index] as InputObject;
  return troubleText({ file, line: lineOf(problem.path), message: problemText(problem) });
}

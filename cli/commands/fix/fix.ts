/** Runs `fix`: reads files, edits their texts, and prints or writes the result. */
import { realpathSync } from 'node:fs';
import { NotEvaluatedObjects } from '../../../analysis/check/not-evaluated.ts';
import { type FixedFile, fixText } from '../../../analysis/fix/fix-text.ts';
import { Repairer } from '../../../analysis/fix/repairer.ts';
import type { Fixing } from '../../../analysis/fix/repairs.ts';
import type { FixResult } from '../../../analysis/fix/result.ts';
import { resultOf } from '../../../analysis/fix/result-of.ts';
import { SkippedDocuments } from '../../../analysis/manifests/other-documents.ts';
import { reason, type Trouble } from '../../../analysis/manifests/trouble.ts';
import { automountsBy } from '../../../analysis/policies/automounting.ts';
import { PodCandidates } from '../../../analysis/policies/candidates.ts';
import type { PolicyContext } from '../../../analysis/policies/context.ts';
import type { FixClass } from '../../../operator/rules/rule.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { type UsedOptions, usedInFiles } from '../../evidence/used.ts';
import type { InputFile } from '../../input/files.ts';
import { openInputs } from '../../input/inputs.ts';
import { isAtHand, textAtHand } from '../../input/text.ts';
import { Troubles } from '../../input/troubles.ts';
import { excludingBy, type Given } from '../../options.ts';
import { terminalOf } from '../../output/terminal.ts';
import { replaceText } from '../../output/write-file.ts';
import { addPolicies } from '../../policies/add-files.ts';
import { addContext, builderFor, contextOptions, type GivenPolicies } from '../../policies/given.ts';
import type { Output } from './outputs.ts';
import { printed } from './printed.ts';
import { reportText } from './report-text.ts';

export interface FixOptions extends GivenPolicies, UsedOptions {
  readonly filename: readonly string[];
  readonly only: ReadonlySet<FixClass>;
  readonly write?: boolean;
  readonly output: Output;
  readonly directory?: string;
  readonly namespace?: string;
}

const NO_POLICY =
  'no policy to comply with: name a policy with --policy FILE, add a policy to the manifests, or use --level';

export async function fix(given: Given<FixOptions>, io: Io): Promise<ExitCode> {
  const options = excludingBy<FixOptions>(given);
  const troubles = new Troubles(io);
  const problems: Trouble[] = [];
  const tell = (trouble: Trouble) => {
    problems.push(trouble);
    troubles.trouble(trouble);
  };
  const skipped = new SkippedDocuments();
  const notEvaluated = new NotEvaluatedObjects();
  const inputs = await openInputs(options.filename, io, tell);
  try {
    const used = await usedInFiles(options, io, tell);
    const context = await policyContext(options, inputs.files, io, tell);
    const read = fixedFiles(inputs.files, options, io, {
      context,
      used: options.only.has('check') ? used : undefined,
      tell,
      skip: skipped.skip,
      notEvaluated: notEvaluated.add,
    });
    if (read.every(({ isEmpty }) => isEmpty) && troubles.count === 0)
      tell({ file: options.filename.join(', '), message: 'no Kubernetes object in it' });
    const files = options.write ? read.map((file) => written(file, tell)) : read;
    const result = resultOf(files, { context, problems, notEvaluated: notEvaluated.all, errors: troubles.count });
    const report = reportText(result, skipped.all, options.write === true);
    if (options.write) io.stdout.write(report);
    else {
      io.stdout.write(printed(files, result, { ...options, cwd: io.cwd, terminal: terminalOf(io) }));
      if (options.output !== 'json') io.stderr.write(report);
    }
    return exitCode(result, options);
  } finally {
    inputs.close();
  }
}

async function policyContext(
  options: FixOptions,
  files: readonly InputFile[],
  io: Io,
  tell: (trouble: Trouble) => void,
): Promise<PolicyContext> {
  const builder = builderFor(options, options.namespace);
  await addPolicies(builder, options.policy, io, { trouble: tell });
  await addContext(builder, files, io, tell);
  if (builder.isEmpty && options.used === undefined) throw new UsageError(NO_POLICY);
  return builder.build(contextOptions(options, undefined), tell);
}

type Told = Pick<Fixing, 'context' | 'used' | 'tell' | 'skip' | 'notEvaluated'>;

/** Fixes each file only once, even if several links point to it. */
function fixedFiles(
  files: readonly InputFile[],
  { only, namespace = 'default' }: FixOptions,
  io: Io,
  told: Told,
): FixedFile[] {
  const candidates = new PodCandidates(namespace, automountsBy(told.context.automounting, namespace));
  const fixing = { ...told, namespace, candidates, repairer: new Repairer(told.context.evaluation, only) };
  const seen = new Set<string>();
  return files.filter(isAtHand).flatMap((file) => {
    try {
      const path = typeof file.path === 'string' ? realpathSync(file.path) : undefined;
      if (path !== undefined && seen.has(path)) return [];
      if (path !== undefined) seen.add(path);
      const before = [...textAtHand(file, io, true)].join('');
      return [{ ...fixText(before, file.name, file.found === true, fixing), name: file.name, path, before }];
    } catch (error) {
      io.signal.throwIfAborted();
      told.tell({ file: file.name, message: reason(error) });
      return [];
    }
  });
}

/**
 * Writes the fixed file to the disk, and returns the file. If the file cannot be written, the returned file has no
 * edits.
 */
function written(file: FixedFile, tell: (trouble: Trouble) => void): FixedFile {
  const { path, before, text, name } = file;
  if (before === text) return file;
  try {
    if (path === undefined) throw new Error('the input is not a regular file');
    replaceText(path, before, text);
    return file;
  } catch (error) {
    tell({ file: name, message: `not written: ${reason(error)}` });
    return { ...file, text: before, edits: [], notes: [], objects: [], fixed: 0 };
  }
}

function exitCode({ summary }: FixResult, { write, output }: FixOptions): ExitCode {
  if (summary.errors > 0) return 2;
  const isMade = write || output === 'manifests' || output === 'kustomize';
  return summary.left > 0 || (!isMade && summary.edits > 0) ? 1 : 0;
}

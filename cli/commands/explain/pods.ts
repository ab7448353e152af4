/**
 * Runs `explain` for files or a cluster: reads pods and workloads, and prints the capabilities that their containers
 * hold.
 */
import { SkippedDocuments, skippedLines } from '../../../analysis/manifests/other-documents.ts';
import { jsonText, printableTexts } from '../../../analysis/text/printable-values.ts';
import type { ExitCode, Io } from '../../command.ts';
import { usedInFiles } from '../../evidence/used.ts';
import { Troubles } from '../../input/troubles.ts';
import { terminalOf } from '../../output/terminal.ts';
import type { ClusterOptions } from './cluster.ts';
import { type ExplainedManifest, explainedManifests, type Passing } from './manifests.ts';
import { manifestText } from './text.ts';

export interface ExplainOptions extends ClusterOptions {
  readonly filename: readonly string[];
  readonly exclude?: readonly string[];
  readonly policy: readonly string[];
  readonly cluster?: boolean;
  readonly output: 'table' | 'json' | 'csv';
}

export async function explainPods(options: ExplainOptions, io: Io): Promise<ExitCode> {
  const troubles = new Troubles(io);
  const skipped = new SkippedDocuments();
  if (options.cluster) {
    const { explainedCluster } = await import('./cluster.ts');
    await print(await explainedCluster(options, io, troubles.trouble), options, io);
  } else {
    const evidence = await usedInFiles(options, io, troubles.trouble);
    const passing = options.policy.length > 0 ? await passingOf(options.policy, io, troubles) : undefined;
    const told = { evidence, passing, tell: troubles.trouble, skip: skipped.skip };
    await print(explainedManifests(options.filename, io, told), options, io);
  }
  for (const line of skippedLines(skipped.all)) io.stderr.write(`cappol: ${line}\n`);
  return troubles.count > 0 ? 2 : 0;
}

/** The code that compiles policies is loaded only if the user gives --policy. */
async function passingOf(paths: readonly string[], io: Io, troubles: Troubles): Promise<Passing> {
  const { passingBy } = await import('./policies.ts');
  return passingBy(paths, io, troubles);
}

async function print(
  manifests: AsyncIterable<ExplainedManifest> | Iterable<ExplainedManifest>,
  { output }: ExplainOptions,
  io: Io,
): Promise<void> {
  if (output === 'json') {
    const items = [];
    for await (const manifest of manifests) items.push(manifest);
    io.stdout.write(`${jsonText({ items })}\n`);
    return;
  }
  const terminal = terminalOf(io);
  for await (const manifest of manifests) io.stdout.write(manifestText(printableTexts(manifest), terminal));
}

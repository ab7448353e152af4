/** Runs `report`: reads clusters or snapshots, and writes the page that contains them. */
import { resolve } from 'node:path';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { writeWhole } from '../../output/write-file.ts';
import { reportPage } from '../../page/report-page.ts';
import { pageTemplate } from '../../page/template.ts';
import { readSnapshot } from '../snapshot/run.ts';
import { storedSnapshot } from './stored-snapshot.ts';

export interface ReportOptions extends Given<Omit<PolicyOptions, 'context'>> {
  readonly html: string;
  readonly from?: readonly string[];
  readonly at?: number;
  readonly context?: readonly string[];
}

/** Writes the page. If a snapshot is incomplete, the exit code is 2, as in `cappol snapshot`. */
export async function report(options: ReportOptions, io: Io): Promise<ExitCode> {
  const template = pageTemplate();
  const snapshots = await readSnapshots(options, io);
  const page = reportPage(template, snapshots);
  if (options.html === '-') io.stdout.write(page);
  else writeWhole(resolve(io.cwd, options.html), page);
  return snapshots.some(({ missing }) => missing.length > 0) ? 2 : 0;
}

async function readSnapshots({ from, context, ...options }: ReportOptions, io: Io): Promise<readonly Snapshot[]> {
  if (from) return distinct(from.map((path) => storedSnapshot(resolve(io.cwd, path))));
  const snapshots: Snapshot[] = [];
  // Clusters are read one after another, because each snapshot needs much memory.
  for (const one of context ?? [undefined]) snapshots.push(await readSnapshot({ ...options, context: one }, io));
  return snapshots;
}

/** Refuses two snapshots of the same context. The page distinguishes clusters by their context. */
function distinct(snapshots: readonly Snapshot[]): readonly Snapshot[] {
  const seen = new Set<string>();
  for (const { context } of snapshots) {
    if (seen.has(context)) throw new UsageError(`--from: two snapshots are of the context ${JSON.stringify(context)}`);
    seen.add(context);
  }
  return snapshots;
}

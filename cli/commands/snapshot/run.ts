/** Runs `snapshot`: reads the cluster, evaluates it, and prints the document. */
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { UsedCapabilities } from '../../../analysis/evidence/used-capabilities.ts';
import { evaluateCluster } from '../../../analysis/policies/evaluate-cluster.ts';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { takeSnapshot } from '../../../analysis/snapshot/take.ts';
import { usedIn } from '../../../analysis/snapshot/used-in.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { excludingPlatform, withCluster } from '../../cluster.ts';
import type { ExitCode, Io } from '../../command.ts';
import { usedInCluster } from '../../evidence/cluster.ts';
import type { UsedOptions } from '../../evidence/used.ts';
import { Troubles } from '../../input/troubles.ts';
import { acceptedStateOf, type Rights, readLive, SNAPSHOT_NOT_EVALUATED, takenOf, tellMissing } from '../../live.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { makeFolders } from '../../output/make-folders.ts';
import { writeWhole } from '../../output/write-file.ts';

export interface SnapshotOptions extends PolicyOptions, UsedOptions {
  readonly at?: number;
  /** The folder for the file. If no folder is given, the snapshot is printed. */
  readonly directory?: string;
}

/**
 * Prints or stores the snapshot. The exit code is 2 if the snapshot or its evidence is incomplete. Standard error names
 * the missing parts of the snapshot.
 */
export async function snapshot(given: Given<SnapshotOptions>, io: Io): Promise<ExitCode> {
  const troubles = new Troubles(io);
  const taken = await readSnapshot(given, io, troubles);
  if (given.directory === undefined) io.stdout.write(`${JSON.stringify(taken)}\n`);
  else io.stdout.write(`${stored(taken, given.directory, io)}\n`);
  return taken.missing.length > 0 || troubles.count > 0 ? 2 : 0;
}

/**
 * Writes the compressed snapshot. @returns the path of the file. The path begins with the folder as the user wrote it
 */
function stored(snapshot: Snapshot, directory: string, { cwd }: Io): string {
  const file = join(directory, fileNameAt(snapshot.taken));
  const path = resolve(cwd, file);
  makeFolders(dirname(path));
  writeWhole(path, gzipSync(JSON.stringify(snapshot)));
  return file;
}

/**
 * A file name with the time in whole seconds, without colons, because Windows refuses colons in file names. Sorting the
 * files by name also sorts the files by time.
 */
function fileNameAt(taken: string): string {
  return `${taken.slice(0, 'yyyy-mm-ddThh:mm:ss'.length).replaceAll(':', '-')}Z.json.gz`;
}

/**
 * Reads a cluster. The missing parts of the snapshot are named on standard error.
 *
 * @param troubles receives the problems of the evidence
 */
export async function readSnapshot(
  given: Given<SnapshotOptions>,
  io: Io,
  troubles = new Troubles(io),
): Promise<Snapshot> {
  return withCluster(given, async (connected) => {
    const options = await excludingPlatform<SnapshotOptions>(given, connected);
    const { cluster, rights } = await readLive(connected, io, { notEvaluated: SNAPSHOT_NOT_EVALUATED });
    tellMissing(rights, io);
    const reading = { connected, cluster, only: undefined, io, tell: troubles.trouble };
    const evidence = await usedInCluster(options, reading);
    return snapshotOf(cluster, rights, { ...options, context: connected.context, evidence });
  });
}

/**
 * @param evaluator the evaluator. Callers pass the evaluator of the last snapshot again, because the evaluator caches
 * results
 */
export function snapshotOf(
  cluster: Cluster,
  rights: Rights,
  options: SnapshotOptions & { readonly context: string; readonly evidence?: UsedCapabilities | undefined },
  evaluator = new Evaluator(),
): Snapshot {
  const state = acceptedStateOf(cluster, rights, options);
  const { evidence, at = Date.now() } = options;
  return takeSnapshot({
    ...takenOf(cluster, state, rights, options, at),
    verdicts: rights.canEvaluate ? evaluateCluster(cluster, state, { evaluator, use: state.use }) : [],
    usedIn: (namespace) => (evidence ? usedIn(namespace, cluster, evidence) : []),
  });
}

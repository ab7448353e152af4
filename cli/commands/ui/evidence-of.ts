/**
 * Reads the option --used of `ui`. If the option names paths, the evidence in these files counts for every context. If
 * the option names no path, the program reads the evidence from the profiles in each cluster.
 */
import { isForbidden } from '../../../operator/cluster/api-error.ts';
import type { Connected } from '../../cluster.ts';
import { type Io, UsageError } from '../../command.ts';
import { profiles } from '../../evidence/cluster.ts';
import { readEvidence } from '../../evidence/read.ts';
import { checkSince, type UsedOptions } from '../../evidence/used.ts';
import { Troubles } from '../../input/troubles.ts';
import { LiveEvidence } from './live-evidence.ts';

export interface ContextEvidence {
  /** The evidence. If --used is not given, or if the evidence cannot be read, `evidence` is undefined. */
  readonly evidence?: LiveEvidence;
  /**
   * The reasons why the evidence cannot be read, as texts for users. The list is empty if the evidence was read, or if
   * --used is not given.
   */
  readonly missing: readonly string[];
}

/**
 * Reads the evidence of a context. The function is called each time that the program connects to the context's cluster.
 */
export type EvidenceOf = (connected: Connected) => Promise<ContextEvidence>;

/**
 * Reads the option --used. Files are read once, before the page is served.
 *
 * @throws UsageError if the files contain no evidence that can be read
 */
export async function evidenceOf(options: UsedOptions, io: Io): Promise<EvidenceOf> {
  checkSince(options);
  const { used: paths } = options;
  if (paths === undefined) return async () => ({ missing: [] });
  const troubles = new Troubles(io);
  const { trouble: tell } = troubles;
  if (paths === true) return (connected) => ofProfiles({ connected, only: undefined, io, tell }, options);
  const records = await readEvidence(paths, io, { tell });
  // If the files contain no evidence, the user has made a mistake. To read the files again would not help.
  if (troubles.count > 0 && records.uses.length + records.watches.length === 0)
    throw new UsageError('--used: no evidence could be read');
  const evidence = new LiveEvidence(records, options);
  return async () => ({ evidence, missing: [] });
}

/**
 * The evidence in the profiles of the cluster. A cluster without profiles is shown, too, because the clusters of other
 * contexts may have profiles.
 */
async function ofProfiles(reading: Parameters<typeof profiles>[0], options: UsedOptions): Promise<ContextEvidence> {
  try {
    return { evidence: new LiveEvidence(await profiles(reading), options), missing: [] };
  } catch (error) {
    if (!(error instanceof UsageError) && !isForbidden(error)) throw error;
    return { missing: [`what processes used is not known: ${(error as Error).message}`] };
  }
}

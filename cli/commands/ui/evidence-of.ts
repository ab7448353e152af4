/** The option --used of ui: files whose evidence counts in each context, or the profiles of each cluster. */
import { isForbidden } from '../../../operator/cluster/api-error.ts';
import type { Connected } from '../../cluster.ts';
import { type Io, UsageError } from '../../command.ts';
import { profiles } from '../../evidence/cluster.ts';
import { readEvidence } from '../../evidence/read.ts';
import { checkSince, type UsedOptions } from '../../evidence/used.ts';
import { Troubles } from '../../input/troubles.ts';
import { LiveEvidence } from './live-evidence.ts';

export interface ContextEvidence {
  /** Undefined without the option, and if the evidence cannot be read. */
  readonly evidence?: LiveEvidence;
  /** Why the evidence cannot be read, for people; empty if it was read or not asked for. */
  readonly missing: readonly string[];
}

/** Called each time the context is connected. */
export type EvidenceOf = (connected: Connected) => Promise<ContextEvidence>;

/** Files are read once, before anything is served. @throws UsageError if nothing can be read from them */
export async function evidenceOf(options: UsedOptions, io: Io): Promise<EvidenceOf> {
  checkSince(options);
  const { used: paths } = options;
  if (paths === undefined) return async () => ({ missing: [] });
  const troubles = new Troubles(io);
  const { trouble: tell } = troubles;
  if (paths === true) return (connected) => ofProfiles({ connected, only: undefined, io, tell }, options);
  const records = await readEvidence(paths, io, { tell });
  // A mistake of the user, which does not go away by itself.
  if (troubles.count > 0 && records.uses.length + records.watches.length === 0)
    throw new UsageError('--used: no evidence could be read');
  const evidence = new LiveEvidence(records, options);
  return async () => ({ evidence, missing: [] });
}

/** A cluster without profiles is shown without them: other contexts may have some. */
async function ofProfiles(reading: Parameters<typeof profiles>[0], options: UsedOptions): Promise<ContextEvidence> {
  try {
    return { evidence: new LiveEvidence(await profiles(reading), options), missing: [] };
  } catch (error) {
    if (!(error instanceof UsageError) && !isForbidden(error)) throw error;
    return { missing: [`what processes used is not known: ${(error as Error).message}`] };
  }
}

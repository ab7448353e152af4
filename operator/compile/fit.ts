/**
 * Decides which policies fit together. A policy that does not fit is refused before anything is rendered. New or
 * changed policies are refused first, the newest before the others.
 */
import type { Parts } from '../policy/parts.ts';
import type { Refusal, ResolvedPolicy } from '../policy/resolve.ts';

export interface Candidate {
  /**
   * The possible versions of a policy, the preferred one first. If the preferred version does not fit, it is refused,
   * and the next version stays in force.
   */
  readonly versions: readonly Parts[];
  /**
   * The preferred version as it will be once its namespaces are labelled. If it does not fit, the namespaces are not
   * labelled.
   */
  readonly later: Parts;
}

/** A limit of API servers for several policies together. */
export interface Limit {
  /** The reason why the parts do not fit beside the parts that are kept; undefined if they fit. */
  refusalOf(parts: Parts): Refusal | undefined;
  keep(parts: Parts): void;
}

interface Fitting {
  readonly policies: readonly ResolvedPolicy[];
  /** The refusals of the policies that do not fit, by name of the policy. */
  readonly refusals: ReadonlyMap<string, Refusal>;
}

/**
 * Decides which version of each policy fits beside the others.
 * @param candidates with the policies in force first, because they stay when a new policy does not fit
 */
export function fitting(candidates: readonly Candidate[], limit: Limit): Fitting {
  const kept: ResolvedPolicy[] = [];
  const refusals = new Map<string, Refusal>();
  for (const { versions, later } of candidates) {
    for (const [i, parts] of versions.entries()) {
      const refusal = limit.refusalOf(parts) ?? (i === 0 ? limit.refusalOf(later) : undefined);
      if (!refusal) {
        limit.keep(parts);
        kept.push(...parts);
        break;
      }
      if (i === 0) refusals.set(parts[0]?.name ?? '', refusal);
    }
  }
  return { policies: kept, refusals };
}

/** A condition's message has room for this many names. */
const NAMED = 14;

export function namesIn(policies: readonly ResolvedPolicy[]): string {
  const names = [...new Set(policies.map(({ name }) => name))].sort();
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

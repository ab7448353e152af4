/**
 * Decides which policies fit together. A policy that does not fit is refused before anything is rendered. If policies
 * do not fit together, the operator refuses new and changed policies, beginning with the newest.
 */
import type { Parts } from '../policy/parts.ts';
import type { Refusal, ResolvedPolicy } from '../policy/resolve.ts';

export interface Candidate {
  /**
   * The possible specs of a policy. Each spec is split into its parts. The current spec comes first, and the last
   * accepted spec comes second. If the first spec does not fit, the operator refuses this spec, and the next spec stays
   * in force.
   */
  readonly versions: readonly Parts[];
  /**
   * The parts that the current spec will have when the policy's namespaces are labelled. If these parts do not fit, the
   * current spec is refused, and the namespaces are not labelled.
   */
  readonly later: Parts;
}

/** A limit of API servers that applies to several policies together. */
export interface Limit {
  /**
   * Returns the reason why the parts do not fit together with the parts from earlier calls of `keep`. Returns undefined
   * if the parts fit.
   */
  refusalOf(parts: Parts): Refusal | undefined;
  keep(parts: Parts): void;
}

interface Fitting {
  readonly policies: readonly ResolvedPolicy[];
  /** The refusals of the policies that do not fit. The key is the policy's name. */
  readonly refusals: ReadonlyMap<string, Refusal>;
}

/**
 * Decides for each policy which of its specs fits together with the other policies.
 * @param candidates the policies in force, followed by the other policies. This order matters: if a new policy does not
 * fit, the policies in force stay in force
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

/** The maximum number of policy names in the message of a condition. */
const NAMED = 14;

export function namesIn(policies: readonly ResolvedPolicy[]): string {
  const names = [...new Set(policies.map(({ name }) => name))].sort();
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

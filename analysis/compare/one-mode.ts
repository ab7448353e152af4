/**
 * Divides a set of policies by mode. Each mode decides separately, so the policies of each mode are compared as if they
 * were enforced.
 */
import { MODES } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { mayOverlap } from '../../operator/policy/selector.ts';
import type { PolicySet } from './policy-set.ts';

/**
 * A policy and the other policies of the same mode. The policy and the other policies are treated as if they were
 * enforced.
 */
export interface Beside {
  readonly policy: ResolvedPolicy;
  /** The other policies that may share a namespace with the policy. */
  readonly others: readonly ResolvedPolicy[];
  /** Whether no policy reaches a namespace with this name, or no namespace can have this name. */
  isExcluded(name: string): boolean;
}

/** The names that a namespace can have: labels of RFC 1123. */
export const NAMESPACE_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Each policy together with the other policies of its mode. A policy with a rollout has two modes, and one part for
 * each mode.
 */
export function besideOthers({ policies, isExcluded }: PolicySet): Beside[] {
  return MODES.flatMap((mode) => {
    const ofMode = policies.filter((one) => one.mode === mode).map((one) => ({ ...one, mode: 'Enforce' as const }));
    return ofMode.map((policy) => ({
      policy,
      others: ofMode.filter((one) => one !== policy && mayOverlap(one.selector, policy.selector)),
      isExcluded: (name: string) => !NAMESPACE_NAME.test(name) || isExcluded(name),
    }));
  });
}

/**
 * For each period until the policy expires, the other policies that have not expired. A period ends when one of the
 * other policies expires.
 */
export function periodsOf({ policy, others }: Beside): (readonly ResolvedPolicy[])[] {
  const ends = others.map(({ expires }) => expires).filter((expires) => expires < policy.expires);
  const begins = [Number.NEGATIVE_INFINITY, ...new Set(ends)];
  return begins.map((begin) => others.filter(({ expires }) => expires > begin));
}

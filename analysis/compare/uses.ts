/**
 * The classes of users that matter for a comparison. A policy with restricted use is one boolean: a user may use it or not.
 * The more policies of the refusing set a user may use, the less can differ. So for each admitting policy it is enough to
 * look at users who may use this policy, and no other policy that they need not be able to use.
 */
import { rbacSubject } from '../../operator/compile/rbac.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { PolicySet } from './policy-set.ts';

/** The policies with restricted use that a user may use, in each set. */
export interface Use {
  readonly admitting: readonly string[];
  readonly refusing: readonly string[];
}

export interface UsesOptions {
  /** Whether users of a policy count as users of every policy whose subjects include the policy's subjects. */
  readonly comparesSubjects?: boolean;
}

/**
 * @param policy the policy that admits; undefined if no policy decides
 * @param refusing the set that refuses
 */
export function usesOf(
  policy: ResolvedPolicy | undefined,
  refusing: PolicySet,
  { comparesSubjects = false }: UsesOptions = {},
): Use[] {
  if (!policy || policy.usableBy === 'Everyone') return [{ admitting: [], refusing: [] }];
  const { name } = policy;
  const other = refusing.policies.find((one) => one.name === name);
  const others = comparesSubjects
    ? refusing.policies.filter((one) => one.name !== name && includesUsers(one, policy))
    : [];
  const names = others.map((one) => one.name);
  const both = { admitting: [name], refusing: [name, ...names] };
  return other && mayHaveMoreUsers(policy, other) ? [both, { admitting: [name], refusing: names }] : [both];
}

/** Whether both policies have subjects, and each subject of the second one may use the first one. */
export function includesUsers(policy: ResolvedPolicy, other: ResolvedPolicy): boolean {
  return policy.usableBy === 'Subjects' && other.usableBy === 'Subjects' && !mayHaveMoreUsers(other, policy);
}

/** Whether somebody may use the first policy who may not use the second one. Bindings are not compared. */
function mayHaveMoreUsers(policy: ResolvedPolicy, other: ResolvedPolicy): boolean {
  if (other.usableBy === 'Everyone' || (policy.usableBy === 'Bindings' && other.usableBy === 'Bindings')) return false;
  if (policy.usableBy !== other.usableBy) return true;
  const known = new Set(other.subjects.map((subject) => JSON.stringify(rbacSubject(subject))));
  return policy.subjects.some((subject) => !known.has(JSON.stringify(rbacSubject(subject))));
}

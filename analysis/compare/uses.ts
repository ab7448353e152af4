/**
 * Finds the classes of users that matter for a comparison. A policy with restricted use is represented as a boolean: a
 * user may use the policy, or may not use it. If a user may use one more policy of the refusing set, differences may
 * disappear, but no new difference can appear. For each admitting policy, the comparison examines users who may use
 * this policy. If all users of the admitting policy may also use a policy B, the examined users may use B. In all other
 * cases, the examined users may not use B.
 */
import type { Subject } from '../../operator/api/capability-policy.ts';
import { MOST_ASKED } from '../../operator/compile/decision.ts';
import { isSubject, serviceAccountUser, type User } from '../../operator/evaluate/use.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { PolicySet } from './policy-set.ts';

/** For each set, the policies with restricted use that a user may use. */
export interface Use {
  readonly admitting: readonly string[];
  readonly refusing: readonly string[];
}

export interface UsesOptions {
  /**
   * Whether the subjects of policies are compared. If the subjects of policy B include all subjects of policy A, the
   * users of policy A count as users of policy B.
   */
  readonly comparesSubjects?: boolean;
}

/** The reason why a question about many policies with restricted use is not decided. */
export const TOO_MANY_ASKED = `more than ${MOST_ASKED} policies with restricted use decide, and the API server checks the use of ${MOST_ASKED}`;

/** Whether the API server leaves the use of some policies unchecked, because too many policies have restricted use. */
export function areTooManyAsked(policies: readonly ResolvedPolicy[]): boolean {
  return policies.filter(({ usableBy }) => usableBy !== 'Everyone').length > MOST_ASKED;
}

/**
 * @param policy the admitting policy; undefined if no policy decides
 * @param refusing the set that refuses the pod
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

/** Whether both policies have subjects, and each subject of `other` may use `policy`. */
export function includesUsers(policy: ResolvedPolicy, other: ResolvedPolicy): boolean {
  return policy.usableBy === 'Subjects' && other.usableBy === 'Subjects' && !mayHaveMoreUsers(other, policy);
}

/**
 * Whether a user may use the first policy but not the second policy. Bindings are not compared. If both policies have
 * the same name, each binding is for both policies, even if one of the policies has subjects.
 */
function mayHaveMoreUsers(policy: ResolvedPolicy, other: ResolvedPolicy): boolean {
  if (other.usableBy === 'Everyone') return false;
  if (policy.usableBy === 'Bindings') return policy.name !== other.name && other.usableBy !== 'Bindings';
  if (policy.usableBy !== other.usableBy) return true;
  return policy.subjects.some((subject) => !other.subjects.some((one) => includes(one, subject)));
}

/** Whether each user of the second subject is a user of the first subject. */
function includes(subject: Subject, other: Subject): boolean {
  if (other.kind === 'Group') return subject.kind === 'Group' && subject.name === other.name;
  return isSubject(userOf(other), subject);
}

/** A service account has the same groups here as when it is the service account of a pod. */
function userOf({ kind, namespace, name }: Subject): User {
  if (kind === 'ServiceAccount') return serviceAccountUser(namespace ?? '', name);
  const [, home, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name) ?? [];
  return home && account ? serviceAccountUser(home, account) : { name, groups: [] };
}

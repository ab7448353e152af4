/**
 * A reference model of the deciding policies and of the right to use policies. The model is plain code that follows the
 * documentation. See ../reference/reference-model.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { LabelSelector, Mode } from '../../../operator/api/capability-policy.ts';
import { ADMITTED_BY } from '../../../operator/compile/defaulting-program.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { filled } from '../filling/reference-model.ts';
import type { StatedPod } from '../reference/pod.ts';
import { broken } from '../reference/reference-model.ts';
import { modeIn, type RolloutFacts, wouldComply } from '../rollout/reference-model.ts';

export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Subject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string;
}

/** A right to use a policy. The subjects that a policy names have the right to use the policy without a grant. */
export interface Grant {
  /** The name of a policy, or `*` for all policies. */
  readonly policy: string;
  readonly subject: Subject;
  /** The namespace in which the right applies. Without a namespace, the right applies everywhere. */
  readonly namespace?: string;
}

/**
 * The facts about the creation of a pod: the namespace, the policies, the pod's service account and the pod's creator.
 */
export interface Scene {
  readonly policies: readonly ResolvedPolicy[];
  readonly grants: readonly Grant[];
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The pod's service account, and its creator. */
  readonly people: readonly Person[];
  /**
   * The time of the creation, and the expiry of each policy by name, in ms since 1970. Without this field, no policy
   * expires.
   */
  readonly time?: { readonly now: number; readonly ends: ReadonlyMap<string, number> };
  /** The rollout of each policy, by the policy's name. If `rollouts` is missing, no policy has a rollout. */
  readonly rollouts?: ReadonlyMap<string, RolloutFacts>;
}

export interface Decision {
  readonly admitted: boolean;
  readonly pod: StatedPod;
  /**
   * The policy that PodSecurityPolicy would have chosen. `chosen` is undefined if no policy admits the pod, or if no
   * policy reaches the pod's namespace.
   */
  readonly chosen?: ResolvedPolicy;
  /** Whether the chosen policy has changed the pod. */
  readonly fills: boolean;
}

/**
 * The policies that decide in the namespace for one mode. The candidates are the policies of the given mode that select
 * the namespace. The candidates with the highest priority decide. From the time in `expires` on, a policy counts as
 * deleted.
 */
export function deciders(scene: Scene, mode: Mode): ResolvedPolicy[] {
  const { policies, labels, time } = scene;
  const existing = policies.filter(({ name }) => !time || time.now < (time.ends.get(name) ?? Number.POSITIVE_INFINITY));
  const selecting = existing.filter((policy) => modeIn(scene, policy) === mode && selects(policy.selector, labels));
  const highest = Math.max(...selecting.map(({ priority }) => priority));
  return selecting.filter(({ priority }) => priority === highest).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Whether the pod satisfies at least one deciding policy that the pod's service account or creator may use. If no
 * policy decides, the pod is admitted.
 */
export function admits(scene: Scene, mode: Mode, pod: StatedPod): boolean {
  const all = deciders(scene, mode);
  return all.length === 0 || all.some((policy) => mayUse(scene, policy) && complies(scene, policy, pod));
}

function complies(scene: Scene, policy: ResolvedPolicy, pod: StatedPod): boolean {
  return broken(policy, pod).length === 0 || wouldComply(scene, policy, pod);
}

/**
 * The policy that admits a pod in mode Enforce. If several policies admit the pod unchanged, the first policy by name
 * decides. If no policy admits the unchanged pod, the first policy by name that admits the pod after filling decides.
 * If a pod sets a seccomp profile and names no policy, each policy with `defaulting: PodSecurityPolicy` changes the
 * pod.
 */
export function enforce(scene: Scene, pod: StatedPod): Decision {
  const usable = deciders(scene, 'Enforce').filter((policy) => mayUse(scene, policy));
  const named = usable.find(({ name }) => name === pod.metadata?.annotations?.[ADMITTED_BY]);
  const settled =
    pod.spec.securityContext?.seccompProfile === undefined || (named?.seccompChanges && admitsUnchanged(named, pod));
  const unchanged = usable.find((policy) => admitsUnchanged(policy, pod) && (settled || !policy.seccompChanges));
  if (unchanged) return { admitted: true, pod, chosen: unchanged, fills: false };
  const filling = usable.find((policy) => policy.defaulting && broken(policy, filled(policy, pod)).length === 0);
  if (filling) return { admitted: true, pod: filled(filling, pod), chosen: filling, fills: true };
  return { admitted: admits(scene, 'Enforce', pod), pod, fills: false };
}

/** Whether the pod complies without filling. */
export function admitsUnchanged(policy: ResolvedPolicy, pod: StatedPod): boolean {
  return broken(policy, pod).length === 0 && !(policy.defaulting && !isDeepStrictEqual(filled(policy, pod), pod));
}

/**
 * Whether the pod's service account or the pod's creator holds the verb `use`. The right may apply in all namespaces or
 * only in the pod's namespace.
 */
export function mayUse({ people, namespace, grants }: Scene, { name, usableBy, subjects }: ResolvedPolicy): boolean {
  if (usableBy === 'Everyone') return true;
  // The group system:masters is bound to cluster-admin. The ClusterRole cluster-admin allows everything.
  if (people.some(({ groups }) => groups.includes('system:masters'))) return true;
  const own = usableBy === 'Subjects' ? subjects.map((subject): Grant => ({ policy: name, subject })) : [];
  return [...grants, ...own]
    .filter((grant) => grant.policy === name || grant.policy === '*')
    .filter((grant) => grant.namespace === undefined || grant.namespace === namespace)
    .some(({ subject }) => people.some((person) => covers(subject, person)));
}

function covers({ kind, name, namespace }: Subject, person: Person): boolean {
  switch (kind) {
    case 'User':
      return person.name === name;
    case 'Group':
      return person.groups.includes(name);
    case 'ServiceAccount':
      return person.name === `system:serviceaccount:${namespace}:${name}`;
  }
}

export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Scene['labels']): boolean {
  if (Object.entries(matchLabels).some(([key, value]) => labels[key] !== value)) return false;
  return matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key];
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
    }
    return false;
  });
}

/**
 * The service account of a pod, without the group `system:authenticated`. When the API server checks the rights of the
 * account, the API server does not add the group `system:authenticated`.
 */
export function accountOf(namespace: string, name: string): Person {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

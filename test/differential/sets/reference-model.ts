/** Reference model of the deciding policies and their users, in plain code after the design; see ../reference/reference-model.ts. */
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

/** A right to use a policy, beside the subjects that the policy names. */
export interface Grant {
  /** `*`: all of them. */
  readonly policy: string;
  readonly subject: Subject;
  /** Absent: everywhere. */
  readonly namespace?: string;
}

/** The namespace and the user of a creation. */
export interface Scene {
  readonly policies: readonly ResolvedPolicy[];
  readonly grants: readonly Grant[];
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The pod's service account, and its creator. */
  readonly people: readonly Person[];
  /** The time of the creation and the ends of policies by name, in ms since 1970. Absent: no policy ends. */
  readonly time?: { readonly now: number; readonly ends: ReadonlyMap<string, number> };
  /** By policy. Absent: no policy has a rollout. */
  readonly rollouts?: ReadonlyMap<string, RolloutFacts>;
}

export interface Decision {
  readonly admitted: boolean;
  readonly pod: StatedPod;
  /** The policy that PodSecurityPolicy would have chosen; undefined if none admits the pod, or if no policy reaches it. */
  readonly chosen?: ResolvedPolicy;
  /** Whether that policy has changed the pod. */
  readonly fills: boolean;
}

/**
 * "Among the policies with that mode whose selector takes the namespace, those with the highest priority decide." "From the
 * time in `expires` on, the policy counts as deleted."
 */
export function deciders(scene: Scene, mode: Mode): ResolvedPolicy[] {
  const { policies, labels, time } = scene;
  const existing = policies.filter(({ name }) => !time || time.now < (time.ends.get(name) ?? Number.POSITIVE_INFINITY));
  const selecting = existing.filter((policy) => modeIn(scene, policy) === mode && selects(policy.selector, labels));
  const highest = Math.max(...selecting.map(({ priority }) => priority));
  return selecting.filter(({ priority }) => priority === highest).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** "A pod must satisfy at least one of them that it may use". If no policy decides, nothing happens. */
export function admits(scene: Scene, mode: Mode, pod: StatedPod): boolean {
  const all = deciders(scene, mode);
  return all.length === 0 || all.some((policy) => mayUse(scene, policy) && complies(scene, policy, pod));
}

function complies(scene: Scene, policy: ResolvedPolicy, pod: StatedPod): boolean {
  return broken(policy, pod).length === 0 || wouldComply(scene, policy, pod);
}

/**
 * The policy that admits a pod in mode Enforce: the first by name that admits the pod unchanged; without one, the first
 * that admits it after filling. With `defaulting: PodSecurityPolicy`, each policy changes a pod that sets a seccomp
 * profile, unless the pod names one.
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

/** It complies, and no field needs filling. */
export function admitsUnchanged(policy: ResolvedPolicy, pod: StatedPod): boolean {
  return broken(policy, pod).length === 0 && !(policy.defaulting && !isDeepStrictEqual(filled(policy, pod), pod));
}

/** A right to `use`, of the pod's service account or its creator, everywhere or in the pod's namespace. */
export function mayUse({ people, namespace, grants }: Scene, { name, usableBy, subjects }: ResolvedPolicy): boolean {
  if (usableBy === 'Everyone') return true;
  // Bound to cluster-admin, which allows everything.
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

/** The pod's service account is not authenticated. */
export function accountOf(namespace: string, name: string): Person {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

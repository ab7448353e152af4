/**
 * Tightens the policies of a cluster by removing the grants that no workload needs. Each change is a JSON merge patch
 * (RFC 7386) of the policy. A comparison proves that each change, and all changes together, admit no further pod.
 */
import { type CompletePolicy, GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { statedSpec } from '../../operator/api/defaults.ts';
import { grantNeeds, outermost } from '../../operator/evaluate/grant-needs.ts';
import { type Grant, keyOf, withoutGrants, withSince } from '../../operator/evaluate/grants.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import { WHOLE } from '../../operator/evaluate/namespace-needs.ts';
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { PolicyState } from '../../operator/state/policy-state.ts';
import { evaluateCluster } from '../policies/evaluate-cluster.ts';
import { validatePolicy } from '../policies/validate.ts';
import { Proof } from './narrowing.ts';

/** A policy that admits more than its workloads need. */
export interface TightenedPolicy {
  readonly policy: string;
  /** Whether the policy is an exception that no workload needs. The policy can then be deleted. */
  readonly unused: boolean;
  /** The grants that the change removes. `since` is absent if the operator has not reported the grant yet. */
  readonly removes: readonly (Grant & { readonly since?: string })[];
  /** The merge patch. The field is absent if the change removes nothing. */
  readonly patch?: MergePatch;
  /** The policy after the change, with only the name as metadata. */
  readonly manifest: object;
}

export interface MergePatch {
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface TightenInput {
  readonly cluster: Cluster;
  readonly state: PolicyState;
  readonly evaluator: Evaluator;
  /** Computes the state of the policies for a cluster, such as the cluster with changed policies. */
  stateOf(cluster: Cluster): PolicyState;
}

type Verdicts = ReadonlyMap<string, NamespaceVerdicts>;
type Removed = ReadonlyMap<string, readonly Grant[]>;

/** @returns the policies that can be tightened or deleted, sorted by name */
export function tightenedPolicies(input: TightenInput): TightenedPolicy[] {
  const { cluster, state } = input;
  const before = verdictsOf(cluster, state, input.evaluator);
  const unneeded = new Map(
    cluster.policies().map((policy) => [nameOf(policy), unneededOf(policy, state, before)] as const),
  );
  const proof = new Proof(input.stateOf, (policies) => withPolicies(cluster, policies));
  const removed = safeRemovals(input, before, proved(removable(cluster.policies(), unneeded), cluster, proof));
  const deletable = safeDeletions(input, before, { removed, unneeded, proof });
  return cluster
    .policies()
    .map((policy) => tightened(policy, deletable.has(nameOf(policy)), removed.get(nameOf(policy)) ?? []))
    .filter(({ unused, removes }) => unused || removes.length > 0)
    .sort((a, b) => (a.policy < b.policy ? -1 : 1));
}

function verdictsOf(cluster: Cluster, state: PolicyState, evaluator: Evaluator): Verdicts {
  const evaluated = evaluateCluster(cluster, state, { evaluator, use: state.use });
  return new Map([...evaluated].map((result) => [result.namespace, result]));
}

/**
 * If the current text of a policy is not in force, the function reports no unneeded grants of the policy. The reason is
 * that the workloads were evaluated by another text of the policy.
 */
function unneededOf(policy: CompletePolicy, state: PolicyState, verdicts: Verdicts): readonly Grant[] {
  const name = nameOf(policy);
  const resolution = state.resolution(name);
  if (!resolution || !('policy' in resolution)) return [];
  return grantNeeds(name, state.coverage(name)?.areas ?? [], verdicts)?.unneeded ?? [];
}

/**
 * The grants that can be removed without making the policy invalid. For example, the policy keeps the last range of a
 * strategy.
 */
function removable(policies: readonly CompletePolicy[], unneeded: Removed): Removed {
  return new Map(
    policies.map((policy) => {
      const kept: Grant[] = [];
      for (const grant of unneeded.get(nameOf(policy)) ?? []) {
        if (grant.path !== WHOLE && isValid(without(policy, [...kept, grant]))) kept.push(grant);
      }
      return [nameOf(policy), kept] as const;
    }),
  );
}

/**
 * The grants whose removal is proved to open nothing. If the proof fails for all grants of a policy together, the result
 * has the grants that can be removed one after another.
 */
function proved(removed: Removed, cluster: Cluster, proof: Proof): Removed {
  const provedOf = (policy: CompletePolicy, grants: readonly Grant[]): readonly Grant[] => {
    if (grants.length === 0 || proof.narrows(policy, without(policy, grants))) return grants;
    const kept: Grant[] = [];
    for (const grant of grants) if (proof.narrows(policy, without(policy, [...kept, grant]))) kept.push(grant);
    return kept;
  };
  return new Map(
    cluster.policies().map((policy) => [nameOf(policy), provedOf(policy, removed.get(nameOf(policy)) ?? [])] as const),
  );
}

function isValid(policy: CompletePolicy): boolean {
  const { apiVersion, kind, spec } = policy;
  return validatePolicy({ apiVersion, kind, metadata: { name: nameOf(policy) }, spec } as never).problems.length === 0;
}

/**
 * Evaluates the cluster with all changes together. The reason is that two policies can each make a subject of the other
 * policy unneeded. If a workload gets a worse verdict, the policies that decide in the workload's namespace keep their
 * subjects. If a workload gets a worse verdict even with these subjects, the policies keep all their grants.
 */
function safeRemovals(input: TightenInput, before: Verdicts, removed: Removed): Removed {
  const worse = worseWith(input, before, tightenedBy(input.cluster, removed));
  if (worse.length === 0) return removed;
  const involved = new Set(worse.flatMap(({ modes }) => Object.values(modes).flatMap(({ deciding }) => deciding)));
  const isSubject = ({ path }: Grant) => path.startsWith('spec.subjects[');
  const left = [...removed].map(([name, grants]) => {
    if (!involved.has(name)) return [name, grants] as const;
    return [name, grants.some(isSubject) ? grants.filter((grant) => !isSubject(grant)) : []] as const;
  });
  return safeRemovals(input, before, new Map(left));
}

/**
 * The names of the exceptions that can be deleted together. If each of two exceptions is unneeded only because of the
 * other exception, the two exceptions cannot be deleted together. If the exceptions cannot all be deleted together, the
 * function adds exceptions to the result one by one.
 */
function safeDeletions(
  input: TightenInput,
  before: Verdicts,
  { removed, unneeded, proof }: { readonly removed: Removed; readonly unneeded: Removed; readonly proof: Proof },
): ReadonlySet<string> {
  const policies = tightenedBy(input.cluster, removed);
  const all = [...unneeded]
    .filter(([, grants]) => grants.some(({ path }) => path === WHOLE))
    .map(([name]) => name)
    .filter((name) => proof.deletionNarrows([name], input.cluster.policies()));
  const isSafe = (names: readonly string[]) =>
    worseWith(
      input,
      before,
      policies.filter((policy) => !names.includes(nameOf(policy))),
    ).length === 0 && proof.deletionNarrows(names, policies);
  if (all.length === 0 || isSafe(all)) return new Set(all);
  const some: string[] = [];
  for (const name of all) if (isSafe([...some, name])) some.push(name);
  return new Set(some);
}

function tightenedBy(cluster: Cluster, removed: Removed): CompletePolicy[] {
  return cluster.policies().map((policy) => without(policy, removed.get(nameOf(policy)) ?? []));
}

/**
 * Returns the namespaces in which the changed policies give some workload a worse verdict. For each of these
 * namespaces, the result has the verdicts before the change.
 */
function worseWith(
  { cluster, stateOf, evaluator }: TightenInput,
  before: Verdicts,
  policies: readonly CompletePolicy[],
): NamespaceVerdicts[] {
  const changed = withPolicies(cluster, policies);
  const after = verdictsOf(changed, stateOf(changed), evaluator);
  return [...before.values()].filter((verdicts) => isWorse(verdicts, after.get(verdicts.namespace)));
}

/** A view of the cluster with the given policies instead of the cluster's own policies. */
function withPolicies(cluster: Cluster, policies: readonly CompletePolicy[]): Cluster {
  return {
    policies: () => policies,
    policy: (name) => policies.find((policy) => nameOf(policy) === name),
    namespaces: () => cluster.namespaces(),
    namespace: (name) => cluster.namespace(name),
    pods: (namespace) => cluster.pods(namespace),
    workloads: (namespace) => cluster.workloads(namespace),
    workload: (namespace, kind, name) => cluster.workload(namespace, kind, name),
    roles: () => cluster.roles(),
    roleBindings: () => cluster.roleBindings(),
    rendered: () => cluster.rendered(),
    oldestServer: cluster.oldestServer,
    unknownPodFields: cluster.unknownPodFields,
    serverDefaults: cluster.serverDefaults,
  };
}

const RANK = { Compliant: 0, Unknown: 1, Violating: 2 } as const;

function isWorse({ modes }: NamespaceVerdicts, after: NamespaceVerdicts | undefined): boolean {
  return Object.entries(modes).some(([mode, { workloads }]) => {
    const then = after?.modes[mode as keyof typeof modes]?.workloads ?? [];
    return workloads.some(({ verdict }, i) => RANK[then[i]?.verdict ?? 'Violating'] > RANK[verdict]);
  });
}

function without(policy: CompletePolicy, grants: readonly Grant[]): CompletePolicy {
  return { ...policy, spec: withoutGrants(policy.spec, new Set(grants.map(keyOf))) };
}

function tightened(policy: CompletePolicy, unused: boolean, removed: readonly Grant[]): TightenedPolicy {
  const name = nameOf(policy);
  const spec = statedSpec(without(policy, removed).spec);
  const patch = mergePatch(statedSpec(policy.spec), spec);
  const listed = policy.status?.unusedGrants ?? [];
  return {
    policy: name,
    unused,
    removes: outermost(removed).map((grant) => withSince(grant, listed)),
    ...(removed.length > 0 && { patch: { spec: patch } }),
    manifest: { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec },
  };
}

/** The merge patch that changes `before` to `after`. */
export function mergePatch(before: object, after: object): Readonly<Record<string, unknown>> {
  const [from, to] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const removed = [...from.keys()].filter((field) => !to.has(field)).map((field) => [field, null] as const);
  const changed = [...to].flatMap(([field, value]): [string, unknown][] => {
    const old = from.get(field);
    if (JSON.stringify(old) === JSON.stringify(value)) return [];
    return [[field, isObject(old) && isObject(value) ? mergePatch(old, value) : value]];
  });
  return Object.fromEntries([...removed, ...changed]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf({ metadata }: CompletePolicy): string {
  return metadata?.name ?? '';
}

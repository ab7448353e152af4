/**
 * Finds the webhooks and mutating policies that may change pods when they are created. A template does not show what
 * they change.
 */
import { FIELD_MANAGER, MANAGED_BY_LABEL } from '../../operator/api/capability-policy.ts';
import { membersOf, type Objects } from '../../operator/evaluate/members.ts';
import { groupsOf } from '../../operator/evaluate/workload-verdict.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import type { NamespaceView } from '../../operator/model/objects.ts';
import { type Mutating, type Mutator, mutatorsIn, mutatorsOf } from '../../operator/policy/mutators.ts';

/** Returns what may change pods. The policies that the operator renders are left out. */
export function podMutators(all: Mutating): Mutator[] {
  const foreign = all.policies.filter(({ metadata }) => metadata?.labels?.[MANAGED_BY_LABEL] !== FIELD_MANAGER);
  return mutatorsOf({ ...all, policies: foreign }, 'pods');
}

export interface UnknownPods {
  /** The workloads without pods. */
  readonly workloads: readonly WorkloadName[];
  /** The kinds and names of what may change the pods that the workloads will have, sorted. */
  readonly mutators: readonly string[];
}

/** @returns undefined if nothing may change pods of the namespace, or if each workload has a pod */
export function unknownPodsIn(
  namespace: Pick<NamespaceView, 'name' | 'labels'>,
  mutators: readonly Mutator[],
  cluster: Objects,
): UnknownPods | undefined {
  const changing = mutatorsIn(namespace, mutators);
  if (changing.length === 0) return undefined;
  // No controller makes pods from a PodTemplate.
  const workloads = groupsOf(membersOf(namespace.name, cluster))
    .filter(({ workload, members }) => workload.kind !== 'PodTemplate' && !members.some(({ pod }) => pod))
    .map(({ workload }) => workload);
  return workloads.length === 0 ? undefined : { workloads, mutators: sortedOnce(changing.map(({ text }) => text)) };
}

/** Merges the results of several namespaces. The result is undefined if there are none. */
export function mergeUnknownPods(found: readonly UnknownPods[]): UnknownPods | undefined {
  if (found.length === 0) return undefined;
  return {
    workloads: found.flatMap(({ workloads }) => workloads),
    mutators: sortedOnce(found.flatMap(({ mutators }) => mutators)),
  };
}

function sortedOnce(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

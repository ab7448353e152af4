/** For a pod or workload, finds the controller that a person would edit. */
import type { Cluster, Owner, WorkloadView } from '../model/objects.ts';
import { builtInKind, controllerOf, hasTemplateOf, qualifiedKind, workloadKind } from '../model/workload-kinds.ts';

/** The name of a workload in reports. */
export interface WorkloadName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The kind and name of a workload for messages, such as `Deployment net/pinger`. */
export function workloadText({ kind, namespace, name }: WorkloadName): string {
  return `${kind} ${namespace}/${name}`;
}

interface Owned {
  readonly namespace: string;
  readonly name: string;
  readonly owner?: Owner;
}

/** The topmost controller of a pod or workload. */
export interface Top {
  readonly workload: WorkloadName;
  /**
   * The reference to a custom resource. The operator does not watch custom resources, so the reference contains
   * everything that the operator knows about the custom resource.
   */
  readonly custom?: Owner;
}

/**
 * Finds the top of the owner chain, such as ReplicaSet → Deployment, Job → CronJob, ReplicaSet → Rollout. The chain
 * ends at an owner that the operator does not watch. An unwatched owner is a deleted object, or a custom resource whose
 * own owner is unknown. The chain also ends at an object whose owner has a different template. For example, the
 * Deployment of an operator may own a DaemonSet so that the DaemonSet is deleted with the Deployment.
 */
export function topController(kind: string, start: Owned, cluster: Pick<Cluster, 'workload'>): Top {
  const { namespace } = start;
  const seen = new Set<string>();
  let top: Owned = start;
  let topKind = kind;
  let custom: Owner | undefined;
  while (top.owner && !seen.has(top.owner.uid) && isMadeBy(top.owner, topKind)) {
    const { owner } = top;
    seen.add(owner.uid);
    custom = controllerOf(owner.apiVersion, owner.kind) ? undefined : owner;
    topKind = custom ? customKind(custom) : owner.kind;
    top = watchedOwner(top, cluster) ?? { namespace, name: owner.name };
  }
  return { workload: { kind: topKind, namespace, name: top.name }, ...(custom && { custom }) };
}

/** A custom resource may make objects of any kind. */
function isMadeBy(owner: Owner, kind: string): boolean {
  return kind === 'Pod' || hasTemplateOf(owner, kind) || controllerOf(owner.apiVersion, owner.kind) === undefined;
}

/** The API group distinguishes a kind from a built-in kind with the same name. For example, Volcano has a kind Job. */
function customKind({ apiVersion, kind }: Owner): string {
  return kind === 'Pod' || workloadKind(kind) ? qualifiedKind(apiVersion, kind) : kind;
}

/**
 * The workload that owns this object. The result is undefined if the object has no owner, or if the operator does not
 * watch the owner.
 */
export function watchedOwner(
  { namespace, owner }: Owned,
  cluster: Pick<Cluster, 'workload'>,
): WorkloadView | undefined {
  if (!owner || !builtInKind(owner.apiVersion, owner.kind)) return undefined;
  const found = cluster.workload(namespace, owner.kind, owner.name);
  // A newer object may have the name of a deleted owner. The uid shows whether the object is the owner.
  return found?.uid === owner.uid ? found : undefined;
}

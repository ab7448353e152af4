/** A cluster and the verdicts on it → the snapshot document. Pure: the same cluster gives the same document. */
import type { CompletePolicy, Mode } from '../api/capability-policy.ts';
import { findings } from '../evaluate/findings.ts';
import { holdings } from '../evaluate/held.ts';
import type { NamespaceJudgement } from '../evaluate/namespace.ts';
import type { Violation } from '../evaluate/violations.ts';
import type { WorkloadJudgement } from '../evaluate/workload-judgement.ts';
import { watchedOwner } from '../evaluate/workloads.ts';
import type { Cluster, NamespaceView, Owner, PodParts, PodView, WorkloadView } from '../model/objects.ts';
import { MODES } from '../policy/deciding.ts';
import { formatVersion } from '../standards/level-version.ts';
import { disclosed } from './disclosed.ts';
import {
  type ContainerCapabilities,
  type Controller,
  type OwnerReference,
  type PodGroup,
  SNAPSHOT_KIND,
  SNAPSHOT_VERSION,
  type Snapshot,
  type SnapshotNamespace,
  type SnapshotPolicy,
  type SnapshotVerdict,
} from './document.ts';

export interface Taken
  extends Pick<Snapshot, 'taken' | 'context' | 'operatorNamespace' | 'excludedNamespaces' | 'missing'> {
  readonly cluster: Cluster;
  /** The spec that is in force for a policy, by its name. */
  readonly accepted: ReadonlyMap<string, CompletePolicy['spec']>;
  /** One for each namespace that policies reach. */
  readonly judgements: Iterable<NamespaceJudgement>;
}

export function takeSnapshot({ cluster, accepted, judgements, ...rest }: Taken): Snapshot {
  const shapes = new Shapes();
  const violations = new Indexed<Violation>(JSON.stringify);
  const judged = new Map([...judgements].map((judgement) => [judgement.namespace, judgement]));
  const namespaces = cluster
    .namespaces()
    .map((namespace) => snapshotNamespace(namespace, judged.get(namespace.name), { cluster, shapes, violations }));
  const roles = [...cluster.roles()];
  const granting = new Set(roles.map(({ namespace = '', name }) => `${namespace}/${name}`));
  return {
    apiVersion: SNAPSHOT_VERSION,
    kind: SNAPSHOT_KIND,
    ...rest,
    serverVersion: formatVersion(cluster.oldestServer),
    policies: cluster.policies().map((policy) => snapshotPolicy(policy, accepted)),
    namespaces,
    shapes: shapes.items.map(({ annotations, spec }) => ({
      annotations,
      spec,
      capabilities: holdings(spec).map(capabilitiesOf),
      findings: findings(spec),
    })),
    violations: violations.items,
    roles,
    roleBindings: [...cluster.roleBindings()].filter(({ namespace = '', role: { kind, name } }) =>
      granting.has(`${kind === 'Role' ? namespace : ''}/${name}`),
    ),
  };
}

interface Context {
  readonly cluster: Cluster;
  readonly shapes: Shapes;
  readonly violations: Indexed<Violation>;
}

function snapshotPolicy(
  { metadata = {}, spec, status = {} }: CompletePolicy,
  accepted: Taken['accepted'],
): SnapshotPolicy {
  const { name = '', uid = '', generation = 0, creationTimestamp } = metadata;
  const inForce = accepted.get(name);
  return {
    name,
    uid,
    generation,
    ...(creationTimestamp && { created: String(creationTimestamp) }),
    spec,
    status,
    ...(inForce && JSON.stringify(inForce) !== JSON.stringify(spec) && { accepted: inForce }),
  };
}

function snapshotNamespace(
  { uid: _, ...namespace }: NamespaceView,
  judgement: NamespaceJudgement | undefined,
  context: Context,
): SnapshotNamespace {
  const { cluster, shapes } = context;
  const { name } = namespace;
  const ids = new Indexed<string>((uid) => uid);
  const pods = [...cluster.pods(name)].filter(({ finished }) => !finished);
  const listed = [...cluster.workloads(name)];
  // Old pods may belong to an old ReplicaSet, which only links them to their Deployment.
  const linking = [...ownersOf([...pods, ...listed], cluster)].filter((workload) => !listed.includes(workload));
  return {
    ...namespace,
    reached: judgement !== undefined,
    deciding: Object.fromEntries(MODES.flatMap((mode) => decidingIn(mode, judgement))),
    controllers: [...listed, ...linking].map((workload) => controller(workload, shapes, ids)),
    pods: podGroups(pods, shapes, ids),
    verdicts: MODES.flatMap((mode) => verdictsIn(mode, judgement, context)),
  };
}

/** The workloads of all owner chains. */
function ownersOf(objects: readonly (PodView | WorkloadView)[], cluster: Cluster): Set<WorkloadView> {
  const owners = new Set<WorkloadView>();
  for (const object of objects) {
    let owner = watchedOwner(object, cluster);
    while (owner && !owners.has(owner)) {
      owners.add(owner);
      owner = watchedOwner(owner, cluster);
    }
  }
  return owners;
}

function decidingIn(mode: Mode, judgement: NamespaceJudgement | undefined): [Mode, readonly string[]][] {
  const judged = judgement?.modes[mode];
  return judged ? [[mode, judged.deciding]] : [];
}

function verdictsIn(mode: Mode, judgement: NamespaceJudgement | undefined, context: Context): SnapshotVerdict[] {
  return (judgement?.modes[mode]?.workloads ?? []).map((workload) => verdict(mode, workload, context));
}

function verdict(
  mode: Mode,
  { kind, name, verdict, pods, admittedBy, violations: broken }: WorkloadJudgement,
  { violations }: Context,
): SnapshotVerdict {
  const entries = Object.entries(broken).map(([policy, list]) => [policy, list.map((one) => violations.index(one))]);
  return {
    mode,
    kind,
    name,
    verdict,
    pods,
    ...(admittedBy !== undefined && { admittedBy }),
    ...(verdict !== 'Compliant' && { violations: Object.fromEntries(entries) }),
  };
}

function controller(
  { kind, name, uid, owner, replicas, finished, template }: WorkloadView,
  shapes: Shapes,
  ids: Indexed<string>,
): Controller {
  return {
    kind,
    name,
    id: ids.index(uid),
    ...(owner && { owner: reference(owner, ids) }),
    ...(replicas !== undefined && { replicas }),
    ...(finished && { finished }),
    shape: shapes.index(template),
  };
}

function podGroups(pods: readonly PodView[], shapes: Shapes, ids: Indexed<string>): PodGroup[] {
  const groups = Map.groupBy(pods, (pod) =>
    // A pod without an owner is a workload of its own.
    JSON.stringify([pod.owner?.uid ?? pod.name, pod.owner?.kind, pod.mirror, shapes.index(pod)]),
  );
  return [...groups.values()].map((alike) => {
    const [{ name, owner, mirror, ...parts }] = alike as [PodView];
    return {
      name,
      count: alike.length,
      ...(owner && { owner: reference(owner, ids) }),
      ...(mirror && { mirror }),
      shape: shapes.index(parts),
    };
  });
}

function reference({ apiVersion, kind, name, uid }: Owner, ids: Indexed<string>): OwnerReference {
  return { apiVersion, kind, name, id: ids.index(uid) };
}

function capabilitiesOf({
  name,
  privileged,
  add,
  drop,
  runtimes,
}: ReturnType<typeof holdings>[number]): ContainerCapabilities {
  const held = runtimes.map(({ runtime, error, holdings: [asRoot] }) => [
    runtime,
    error === undefined ? (asRoot?.bounding ?? []) : { error },
  ]);
  return { container: name, privileged, add, drop, held: Object.fromEntries(held) };
}

/** The distinct shapes, as disclosed. Copies of a pod mostly share one spec: it is looked at once. */
class Shapes {
  readonly #indexed = new Indexed<PodParts>(({ annotations, spec }) => JSON.stringify([annotations, spec]));
  readonly #bySpec = new WeakMap<PodParts['spec'], Map<PodParts['annotations'], number>>();

  get items(): readonly PodParts[] {
    return this.#indexed.items;
  }

  index({ annotations, spec }: PodParts): number {
    const known = this.#bySpec.get(spec) ?? new Map<PodParts['annotations'], number>();
    this.#bySpec.set(spec, known);
    const index = known.get(annotations) ?? this.#indexed.index(disclosed({ annotations, spec }));
    known.set(annotations, index);
    return index;
  }
}

/** Distinct values, numbered in the order in which they were first seen. */
class Indexed<Item extends object | string> {
  readonly items: Item[] = [];
  readonly #keyOf: (item: Item) => string;
  readonly #indexes = new Map<string, number>();

  constructor(keyOf: (item: Item) => string) {
    this.#keyOf = keyOf;
  }

  index(item: Item): number {
    const key = this.#keyOf(item);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.items.length);
    return this.items.push(item) - 1;
  }
}

/**
 * Makes the snapshot document from a cluster and its verdicts. The code is pure: the same cluster always gives the same
 * document.
 */
import type { CompletePolicy, CompleteSpec, Mode } from '../../operator/api/capability-policy.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { Violation } from '../../operator/evaluate/violations.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import { watchedOwner } from '../../operator/evaluate/workloads.ts';
import type { Cluster, NamespaceView, Owner, PodContent, PodView, WorkloadView } from '../../operator/model/objects.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { formatVersion } from '../../operator/standards/level-version.ts';
import { findings } from '../capabilities/findings.ts';
import { holdings } from '../capabilities/held.ts';
import {
  type ContainerCapabilities,
  type Controller,
  type OwnerReference,
  type PodGroup,
  type Shape,
  SNAPSHOT_KIND,
  SNAPSHOT_VERSION,
  type Snapshot,
  type SnapshotNamespace,
  type SnapshotPolicy,
  type SnapshotVerdict,
  type UsedByContainer,
} from './document.ts';
import { Indexed, Shapes } from './indexed.ts';
import { isSame } from './same.ts';

/** The parts of a document that do not come from its namespaces. */
export interface Taken
  extends Pick<Snapshot, 'taken' | 'context' | 'operatorNamespace' | 'excludedNamespaces' | 'missing' | 'installed'> {
  readonly usersKnown: boolean;
  readonly cluster: Cluster;
  /** The specs that are in force. The key is the policy's name. */
  readonly accepted: ReadonlyMap<string, CompleteSpec>;
  /** The specs that roles in the cluster record. The key is the policy's UID. */
  readonly recorded: ReadonlyMap<string, CompleteSpec>;
}

export interface TakenNamespaces extends Taken {
  /** The verdicts, with one entry for each namespace that policies reach. */
  readonly verdicts: Iterable<NamespaceVerdicts>;
  /**
   * Returns the containers of a namespace about which evidence exists. If the function is absent, the document has no
   * evidence.
   */
  usedIn?(namespace: string): readonly UsedByContainer[];
}

export function takeSnapshot({ verdicts, usedIn = () => [], ...taken }: TakenNamespaces): Snapshot {
  const taker = new SnapshotTaker();
  const evaluated = new Map([...verdicts].map((result) => [result.namespace, result]));
  for (const namespace of taken.cluster.namespaces()) {
    const { name } = namespace;
    taker.put(namespace, { result: evaluated.get(name), used: usedIn(name) }, taken.cluster);
  }
  return taker.document(taken);
}

/** The facts about a namespace that its objects do not contain. */
export interface KnownOfNamespace {
  /** The verdicts; undefined for a namespace that no policy reaches. */
  readonly result: NamespaceVerdicts | undefined;
  /** The containers about which evidence exists. */
  readonly used: readonly UsedByContainer[];
  /** Whether the namespace's pods and workloads are the same as in the last document. */
  readonly keepsObjects?: boolean;
}

/**
 * Takes several documents of the same cluster, one after another. If an object did not change, all documents contain
 * the same JavaScript object. A shape or a violation has the same index in all documents.
 */
export class SnapshotTaker {
  readonly #shapes = new Shapes();
  readonly #violations = new Indexed<Violation>(JSON.stringify);
  /**
   * The indexes of violations. Workloads with equal pods share one violations object. Each violations object is
   * therefore processed once for all documents.
   */
  readonly #indexesOf = perObject((violations: WorkloadVerdict['violations']): Indexes => {
    const entries = Object.entries(violations).map(([policy, list]) => [policy, this.#indexesIn(list)]);
    return Object.fromEntries(entries);
  });
  readonly #indexesIn = perObject((list: readonly Violation[]): readonly number[] =>
    list.map((one) => this.#violations.index(one)),
  );
  readonly #namespaces = new Map<string, SnapshotNamespace>();
  readonly #policies = new WeakMap<CompletePolicy, SnapshotPolicy>();
  #described: readonly Shape[] = [];

  /** The number of all known shapes and violations. Some known shapes and violations may be in no current document. */
  get size(): number {
    return this.#shapes.items.length + this.#violations.items.length;
  }

  put(namespace: NamespaceView, known: KnownOfNamespace, cluster: Cluster): void {
    const context = { cluster, shapes: this.#shapes, indexesOf: this.#indexesOf };
    const before = known.keepsObjects ? this.#namespaces.get(namespace.name) : undefined;
    const objects = before ?? objectsIn(namespace.name, context);
    this.#namespaces.set(namespace.name, snapshotNamespace(namespace, { ...known, objects }, context));
  }

  drop(namespace: string): void {
    this.#namespaces.delete(namespace);
  }

  document({ cluster, accepted, recorded, ...rest }: Taken): Snapshot {
    const roles = [...cluster.roles()];
    const granting = new Set(roles.map(({ namespace = '', name }) => `${namespace}/${name}`));
    return {
      apiVersion: SNAPSHOT_VERSION,
      kind: SNAPSHOT_KIND,
      ...rest,
      serverVersion: formatVersion(cluster.oldestServer),
      policies: cluster.policies().map((policy) => this.#policy(policy, accepted, recorded)),
      namespaces: cluster.namespaces().flatMap(({ name }) => this.#namespaces.get(name) ?? []),
      shapes: this.#describedShapes(),
      violations: [...this.#violations.items],
      roles,
      roleBindings: [...cluster.roleBindings()].filter(({ namespace = '', role: { kind, name } }) =>
        granting.has(`${kind === 'Role' ? namespace : ''}/${name}`),
      ),
    };
  }

  #policy(policy: CompletePolicy, accepted: Taken['accepted'], recorded: Taken['recorded']): SnapshotPolicy {
    const { name = '', uid = '' } = policy.metadata ?? {};
    const inForce = accepted.get(name);
    const taken = snapshotPolicy(policy, {
      accepted: isSame(inForce, policy.spec) ? undefined : inForce,
      isRecorded: inForce !== undefined && recorded.has(uid),
    });
    const known = this.#policies.get(policy);
    if (known && isSame(known.accepted, taken.accepted) && known.recorded === taken.recorded) return known;
    this.#policies.set(policy, taken);
    return taken;
  }

  #describedShapes(): readonly Shape[] {
    const added = this.#shapes.items.slice(this.#described.length);
    if (added.length > 0) this.#described = [...this.#described, ...added.map(describe)];
    return this.#described;
  }
}

function describe({ annotations, spec }: PodContent): Shape {
  return { annotations, spec, capabilities: holdings(spec).map(capabilitiesOf), findings: findings(spec) };
}

interface Context {
  readonly cluster: Cluster;
  readonly shapes: Shapes;
  /** The indexes of violations in the document. */
  indexesOf(violations: WorkloadVerdict['violations']): Indexes;
}

interface InForce {
  /** The spec that is in force; undefined if the current spec is in force. */
  readonly accepted: CompleteSpec | undefined;
  readonly isRecorded: boolean;
}

function snapshotPolicy(
  { metadata = {}, spec, status = {} }: CompletePolicy,
  { accepted, isRecorded }: InForce,
): SnapshotPolicy {
  const { name = '', uid = '', generation = 0, creationTimestamp } = metadata;
  return {
    name,
    uid,
    generation,
    ...(creationTimestamp && { created: String(creationTimestamp) }),
    spec,
    status,
    ...(accepted && { accepted }),
    ...(isRecorded && { recorded: true }),
  };
}

function snapshotNamespace(
  { uid: _, ...namespace }: NamespaceView,
  { result, used, objects: { controllers, pods } }: KnownOfNamespace & { readonly objects: Objects },
  context: Context,
): SnapshotNamespace {
  return {
    ...namespace,
    reached: result !== undefined,
    deciding: Object.fromEntries(MODES.flatMap((mode) => decidingIn(mode, result))),
    controllers,
    pods,
    verdicts: MODES.flatMap((mode) => verdictsIn(mode, result, context)),
    ...(used.length > 0 && { used }),
  };
}

type Indexes = NonNullable<SnapshotVerdict['violations']>;
type Objects = Pick<SnapshotNamespace, 'controllers' | 'pods'>;

function objectsIn(name: string, { cluster, shapes }: Context): Objects {
  const ids = new Indexed<string>((uid) => uid);
  const pods = [...cluster.pods(name)].filter(({ finished }) => !finished);
  const listed = [...cluster.workloads(name)];
  // Pods may belong to an old ReplicaSet. The ReplicaSet is needed only to link the pods to their Deployment.
  const linking = [...ownersOf([...pods, ...listed], cluster)].filter((workload) => !listed.includes(workload));
  return {
    controllers: [...listed, ...linking].map((workload) => controller(workload, shapes, ids)),
    pods: podGroups(pods, shapes, ids),
  };
}

/** The workloads in the owner chains of the given pods and workloads. */
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

function decidingIn(mode: Mode, result: NamespaceVerdicts | undefined): [Mode, readonly string[]][] {
  const evaluated = result?.modes[mode];
  return evaluated ? [[mode, evaluated.deciding]] : [];
}

function verdictsIn(mode: Mode, result: NamespaceVerdicts | undefined, context: Context): SnapshotVerdict[] {
  return (result?.modes[mode]?.workloads ?? []).map((workload) => verdict(mode, workload, context));
}

function verdict(
  mode: Mode,
  { kind, name, verdict, pods, admittedBy, violations: broken }: WorkloadVerdict,
  { indexesOf }: Context,
): SnapshotVerdict {
  return {
    mode,
    kind,
    name,
    verdict,
    pods,
    ...(admittedBy !== undefined && { admittedBy }),
    ...(verdict !== 'Compliant' && { violations: indexesOf(broken) }),
  };
}

function controller(
  { kind, name, uid, owner, replicas, finished, refused, template }: WorkloadView,
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
    ...(refused && { refused: { by: refused.by, message: refused.message } }),
    shape: shapes.index(template),
  };
}

function podGroups(pods: readonly PodView[], shapes: Shapes, ids: Indexed<string>): PodGroup[] {
  const groups = Map.groupBy(pods, (pod) =>
    // A pod without an owner counts as a workload.
    JSON.stringify([pod.owner?.uid ?? pod.name, pod.owner?.kind, pod.mirror, shapes.index(pod)]),
  );
  return [...groups.values()].map((alike) => {
    const [{ name, owner, mirror, ...content }] = alike as [PodView];
    return {
      name,
      count: alike.length,
      ...(owner && { owner: reference(owner, ids) }),
      ...(mirror && { mirror }),
      shape: shapes.index(content),
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

/**
 * Builds the map of the capabilities of all containers in a snapshot. The map has namespaces, their workloads, and the
 * workloads' containers. If containers have the same shape and the same policies, the containers share one entry. The
 * memory of the map therefore depends more on the number of shapes than on the number of containers.
 */
import { mayHold } from '../../analysis/capabilities/may-hold.ts';
import type {
  Shape,
  Snapshot,
  SnapshotNamespace,
  SnapshotPolicy,
  UsedByContainer,
} from '../../analysis/snapshot/document.ts';
import { perNamespace } from '../../analysis/snapshot/per-namespace.ts';
import { workloadsOf } from '../../analysis/snapshot/workloads.ts';
import type { CompletePolicy, Mode } from '../../operator/api/capability-policy.ts';
import type { Verdict } from '../../operator/evaluate/verdict.ts';
import { containersOf } from '../../operator/model/containers.ts';
import type { Container } from '../../operator/model/objects.ts';
import { Recent } from '../../operator/model/recent.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { idOf } from '../../operator/policy/memo.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { parseVersion } from '../../operator/standards/level-version.ts';
import { COLUMNS, columnOf, HELD, heldBy, type Runtime } from './holding.ts';
import { enforcingPolicies, type NamespaceState, stateOf } from './namespaces.ts';

export interface CapabilityMap {
  readonly runtime: Runtime;
  /** The namespaces, sorted by name. */
  readonly namespaces: readonly MapNamespace[];
  readonly mapper: Mapper;
}

/**
 * Arrays with one number for each column. The numbers say how containers hold the capability, and whether the deciding
 * policies allow the capability.
 */
export interface Cells {
  /** The way in which the capability is held, as a value of HELD. */
  readonly how: Uint8Array;
  /**
   * The number is 1 if a policy decides, and allows the capability for every container that holds the capability. If no
   * container holds the capability, the number says whether the policy would allow the capability for a container.
   */
  readonly allowed: Uint8Array;
  /** The number is 1 if a container holds the capability, but the deciding policies do not allow the capability. */
  readonly refused: Uint8Array;
  /**
   * The number is 1 if a container holds the capability, and the evidence shows no use of the capability. The array is
   * absent without evidence.
   */
  readonly unused?: Uint8Array;
  /**
   * The way in which the unprivileged containers hold the capability. Privileged containers hold all capabilities. If
   * all containers are privileged, or if no container is privileged, the array is absent.
   */
  readonly unprivileged?: Uint8Array;
}

export interface MapContainer extends Cells {
  readonly name: string;
  /** The reason why the runtime does not start the container. A container that does not start holds no capabilities. */
  readonly error?: string;
}

/** The part of a workload's entry that equal workloads share. */
interface Content extends Cells {
  readonly containers: readonly MapContainer[];
  readonly risk: number;
}

export interface MapWorkload {
  readonly kind: string;
  readonly name: string;
  readonly pods: number;
  readonly verdict: Verdict | undefined;
  readonly content: Content;
}

export interface MapNamespace {
  readonly name: string;
  readonly state: NamespaceState;
  /** The names of the deciding policies of the strictest mode in the namespace. The field `mode` names this mode. */
  readonly deciding: readonly string[];
  readonly mode: Mode | undefined;
  /** The names of the deciding policies that have restricted use. */
  readonly limited: readonly string[];
  /** The names of the policies that decide in the namespace in any mode. */
  readonly policies: readonly string[];
  readonly workloads: readonly MapWorkload[];
}

/** @param before an earlier map of the cluster. Its unchanged namespaces are used again */
export function capabilityMap(snapshot: Snapshot, runtime: Runtime, before?: CapabilityMap): CapabilityMap {
  const key = JSON.stringify([runtime, snapshot.serverVersion, snapshot.policies.map(textsOf)]);
  const mapper = before?.mapper.key === key ? before.mapper : new Mapper(key, snapshot, runtime);
  return { runtime, namespaces: snapshot.namespaces.map((one) => mapper.namespace(one, snapshot.shapes)), mapper };
}

/** Returns all fields of a policy that affect the map. */
function textsOf({ name, uid, spec, accepted = spec }: SnapshotPolicy) {
  return [name, uid, accepted];
}

/** Builds the entries of namespaces that have the same policies. */
class Mapper {
  readonly key: string;
  readonly #enforcing: ReadonlySet<string>;
  readonly #limited: ReadonlySet<string>;
  readonly #contents: Contents;

  constructor(key: string, snapshot: Snapshot, runtime: Runtime) {
    this.key = key;
    this.#enforcing = enforcingPolicies(snapshot);
    this.#limited = new Set(
      snapshot.policies
        .filter(({ spec, accepted }) => (accepted ?? spec).usableBy !== 'Everyone')
        .map(({ name }) => name),
    );
    this.#contents = new Contents(snapshot, runtime);
  }

  readonly namespace = perNamespace((namespace, all: readonly Shape[]): MapNamespace => {
    const mode = MODES.find((one) => (namespace.deciding[one] ?? []).length > 0);
    const deciding = (mode && namespace.deciding[mode]) ?? [];
    const verdicts = verdictsOf(namespace);
    const used = Map.groupBy(namespace.used ?? [], ({ kind, name }) => `${kind}/${name}`);
    return {
      name: namespace.name,
      state: stateOf(namespace, this.#enforcing),
      deciding,
      limited: deciding.filter((policy) => this.#limited.has(policy)),
      mode,
      policies: Object.values(namespace.deciding).flat(),
      workloads: workloadsOf(namespace).map(({ kind, name, pods, shapes }) => {
        const key = `${kind}/${name}`;
        const ofWorkload = shapes.map((index) => all[index] as Shape);
        const content = this.#contents.of(ofWorkload, deciding, used.get(key));
        return { kind, name, pods, verdict: verdicts.get(key), content };
      }),
    };
  });
}

const BAD: readonly Verdict[] = ['Violating', 'Unknown', 'Compliant'];

/** The verdict on each workload: the worst verdict of all modes. */
function verdictsOf({ verdicts }: SnapshotNamespace): ReadonlyMap<string, Verdict> {
  const worst = new Map<string, Verdict>();
  for (const { kind, name, verdict } of verdicts) {
    const before = worst.get(`${kind}/${name}`) ?? 'Compliant';
    worst.set(`${kind}/${name}`, BAD.indexOf(verdict) < BAD.indexOf(before) ? verdict : before);
  }
  return worst;
}

/**
 * The maximum number of shapes in the cache. At any one time, even a large cluster has fewer shapes than this maximum.
 * The cache needs a limit, because a cluster that changes for days has more and more shapes.
 */
const MOST_CONTENTS = 50_000;

class Contents {
  readonly #runtime: Runtime;
  readonly #policies: ReadonlyMap<string, ResolvedPolicy>;
  readonly #contents = new Recent<Content>(MOST_CONTENTS);
  readonly #ofShape = new Recent<readonly MapContainer[]>(MOST_CONTENTS);

  constructor({ policies, serverVersion }: Snapshot, runtime: Runtime) {
    this.#runtime = runtime;
    const oldest = parseVersion(serverVersion) ?? 0;
    this.#policies = new Map(policies.flatMap((policy) => resolved(policy, oldest)));
  }

  /** @param used the evidence about the workload */
  of(shapes: readonly Shape[], deciding: readonly string[], used: readonly UsedByContainer[] = []): Content {
    const key = `${shapes.map(idOf).join()} ${deciding.join('/')} ${used.map((one) => [one.container, one.used]).join(';')}`;
    return this.#contents.get(key, () => this.#content(shapes, deciding, used));
  }

  #content(shapes: readonly Shape[], deciding: readonly string[], used: readonly UsedByContainer[]): Content {
    const byName = Map.groupBy(
      shapes.flatMap((shape) => this.#containers(shape, deciding)),
      ({ name }) => name,
    );
    const containers = [...byName].map(([name, same]): MapContainer => {
      const error = same.find((one) => one.error !== undefined)?.error;
      const { how, allowed, refused } = worstOf(same);
      const evidence = used.find(({ container }) => container === name);
      const unused = evidence && unusedOf(how, evidence.used);
      return { name, how, allowed, refused, ...(unused && { unused }), ...(error !== undefined && { error }) };
    });
    const { how, allowed, refused, unprivileged, unused } = worstOf(containers);
    const cells = { how, allowed, refused, ...(unprivileged && { unprivileged }), ...(unused && { unused }) };
    return { containers, ...cells, risk: riskOf(cells) };
  }

  #containers(shape: Shape, deciding: readonly string[]): readonly MapContainer[] {
    const key = `${idOf(shape)} ${deciding.join('/')}`;
    return this.#ofShape.get(key, () => this.#containersOf(shape, deciding));
  }

  #containersOf(shape: Shape, deciding: readonly string[]): readonly MapContainer[] {
    const policies = deciding.flatMap((name) => this.#policies.get(name) ?? []);
    return shape.capabilities.map((one): MapContainer => {
      const holds = one.held[this.#runtime];
      const how = heldBy(one, this.#runtime);
      const allowed = allowedBy(policies, containerOf(shape, one.container), one.privileged, shape);
      const refused = how.map((way, column) => Number(policies.length > 0 && way !== HELD.no && allowed[column] === 0));
      return { name: one.container, how, allowed, refused, ...('error' in holds && { error: holds.error }) };
    });
  }
}

function resolved({ name, uid, spec, accepted }: SnapshotPolicy, oldest: number): [string, ResolvedPolicy][] {
  const policy = { metadata: { name, uid }, spec: accepted ?? spec } as CompletePolicy;
  const resolution = resolvePolicy(policy, oldest);
  const text = 'policy' in resolution ? resolution.policy : resolution.asBefore;
  return text ? [[name, text]] : [];
}

function containerOf({ spec }: Shape, name: string): Container {
  return containersOf(spec).find((container) => container.name === name) ?? { name };
}

/**
 * A list with one number for each column. The value for a column is 1 if one of the policies allows the capability of
 * the column.
 */
function allowedBy(policies: readonly ResolvedPolicy[], container: Container, privileged: boolean, { spec }: Shape) {
  const allowed = new Uint8Array(COLUMNS.length);
  for (const policy of policies) {
    const may = mayHold(policy, container, spec.hostUsers === false);
    // A policy either allows all capabilities to a privileged container, or refuses the container.
    if (privileged && !may.privileged) continue;
    for (const name of may.names) allowed[columnOf(name) as number] = 1;
  }
  return allowed;
}

/**
 * Combines the cells of several containers or workloads. For each capability, the result has the strongest way of
 * holding the capability. A capability counts as allowed if the policies allow the capability for all holders.
 */
export function worstOf(all: readonly Cells[]): Cells {
  const [first] = all;
  if (first && all.length === 1) return first;
  const [how, unprivileged] = [new Uint8Array(COLUMNS.length), new Uint8Array(COLUMNS.length)];
  const [allowed, refused] = [new Uint8Array(COLUMNS.length), new Uint8Array(COLUMNS.length)];
  let [isSome, isMixed] = [false, false];
  for (const cells of all) {
    const own = withoutPrivileged(cells);
    if (own) isSome = true;
    if (own !== cells.how) isMixed = true;
    for (let column = 0; column < how.length; column++) {
      how[column] = Math.max(how[column] as number, cells.how[column] as number);
      unprivileged[column] = Math.max(unprivileged[column] as number, own?.[column] ?? 0);
      allowed[column] = (allowed[column] as number) | (cells.allowed[column] as number);
      refused[column] = (refused[column] as number) | (cells.refused[column] as number);
    }
  }
  for (let column = 0; column < how.length; column++) if (refused[column]) allowed[column] = 0;
  const unused = unusedInAll(all, how);
  return { how, allowed, refused, ...(isSome && isMixed && { unprivileged }), ...(unused && { unused }) };
}

function unusedOf(how: Uint8Array, used: readonly string[]): Uint8Array {
  return how.map((way, column) => Number(way !== HELD.no && !used.includes(COLUMNS[column]?.name ?? '')));
}

/**
 * A list with one number for each column. The value for a column is 1 if some container holds the capability, and the
 * evidence shows that no holder uses the capability.
 */
function unusedInAll(all: readonly Cells[], how: Uint8Array): Uint8Array | undefined {
  if (all.every(({ unused }) => unused === undefined)) return undefined;
  return how.map((way, column) =>
    Number(way !== HELD.no && all.every((cells) => cells.how[column] === HELD.no || cells.unused?.[column] === 1)),
  );
}

/**
 * The ways in which the unprivileged containers hold capabilities. If all containers are privileged, the result is
 * undefined.
 */
function withoutPrivileged({ how, unprivileged }: Cells): Uint8Array | undefined {
  if (unprivileged) return unprivileged;
  return how.includes(HELD.privileged) ? undefined : how;
}

const RISK_WEIGHTS = { host: 10_000, node: 1_000, kernel: 500, container: 20, low: 1 } as const;

/**
 * The risk of a row. Rows are sorted by their risk. If a workload requests a capability, the capability counts ten
 * times as much as a capability from the runtime's defaults.
 */
export function riskOf({ how }: Cells): number {
  let sum = 0;
  for (const [column, { risk }] of COLUMNS.entries()) {
    const way = how[column] as number;
    if (way !== HELD.no) sum += RISK_WEIGHTS[risk] * (way === HELD.byDefault ? 0.1 : 1);
  }
  return sum;
}

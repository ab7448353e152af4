/**
 * Keeps the last seen state of the cluster. The store follows every relevant kind, keeps the projections of the kind's
 * objects, and reports changes.
 */
import { isDeepStrictEqual } from 'node:util';
import { type CompletePolicy, FIELD_MANAGER, MANAGED_BY_LABEL } from '../api/capability-policy.ts';
import type {
  Change,
  Cluster,
  FinalizingView,
  NamespaceView,
  PodView,
  RenderedObject,
  RoleBindingView,
  RoleView,
  SeenObject,
  UnlearnedDefaults,
  WorkloadView,
} from '../model/objects.ts';
import type { RawObject } from '../model/raw.ts';
import { isHistory } from '../model/revisions.ts';
import { createProjection, type Projection } from '../projection/projection.ts';
import { RULES } from '../rules/index.ts';
import type { Rule } from '../rules/rule.ts';
import { aborted } from '../runtime/aborted.ts';
import type { ReflectorObserver } from '../runtime/metrics.ts';
import type { ApiClient } from './client.ts';
import { Collection } from './collection.ts';
import { FollowedServers, type FollowedServersOptions } from './followed-servers.ts';
import type { Source } from './reading.ts';
import { Reflector } from './reflector.ts';
import { RefusedPods } from './refused-pods.ts';
import { bufferUntilListed, fanOut, type Sink } from './sink.ts';
import * as sources from './sources.ts';

interface ClusterOptions extends FollowedServersOptions {
  /**
   * The store calls this function for each change, even while the store reads the first lists. The function may only
   * enqueue work.
   */
  onChange(change: Change): void;
  /** The rules to evaluate. The store keeps the pod fields that the rules read, and drops all other pod fields. */
  readonly rules?: readonly Rule[];
  /** The kinds that the store does not follow. The store behaves as if no object of these kinds existed. */
  readonly except?: readonly Source[];
  /** The store reads only the metadata of objects of these kinds. */
  readonly metadataOnly?: readonly Source[];
  readonly reflectorObserver?: ReflectorObserver;
  /** Returns the time of day, in milliseconds since 1970. */
  readonly now?: () => number;
}

export type FollowedCluster = ReturnType<typeof createCluster>;

export function createCluster(client: ApiClient, options: ClusterOptions) {
  const { onChange, log, rules = RULES, except = [], metadataOnly = [], reflectorObserver: observer } = options;
  const { now = () => Date.now() } = options;
  const projection = createProjection(rules);
  const servers = new FollowedServers(client, options);
  const store = new Store(projection, servers, onChange, now);
  const reflectors = new Map<Source, Reflector>();
  let ended: Promise<unknown> = Promise.resolve();
  return {
    cluster: store as Cluster,
    /**
     * Follows the cluster until `signal` is aborted. The promise resolves when all kinds have been read. Reading has no
     * time limit.
     *
     * @throws the signal's reason, if the signal is aborted earlier
     */
    async start(signal: AbortSignal): Promise<void> {
      const followed = [...store.followed].filter(([source]) => !except.includes(source));
      for (const [source, collections] of followed) {
        const reading = { log, ...(observer && { observer }) };
        // Policies affect each other, so the store passes on a list of policies as a whole. The store passes on objects
        // of other kinds one by one.
        const sink = source === sources.POLICIES ? bufferUntilListed(fanOut(collections)) : fanOut(collections);
        const asked = metadataOnly.includes(source) ? { ...source, metadataOnly: true } : source;
        reflectors.set(source, new Reflector(client, asked, sink, signal, reading));
      }
      const followers = [...reflectors.values()].map((reflector) => reflector.run());
      ended = Promise.all([...followers, servers.follow(signal)]);
      const synced = Promise.all([
        servers.known,
        ...followed.flatMap(([, collections]) => collections.map((one) => one.synced)),
      ]);
      await orAborted(synced, signal);
    },
    /**
     * Reads the kinds that affect writes again. The promise resolves when these kinds are up to date.
     *
     * @throws the signal's reason, if the signal is aborted earlier
     */
    async refresh(signal: AbortSignal): Promise<void> {
      const read = sources.DECIDING.map((source) => reflectors.get(source)?.refresh());
      await orAborted(Promise.all(read), signal);
    },
    /**
     * Reads all kinds again. Call this method when the storage of the API servers went back to an earlier revision.
     *
     * @throws the signal's reason, if the signal is aborted earlier
     */
    async readAgain(signal: AbortSignal): Promise<void> {
      await orAborted(Promise.all([...reflectors.values()].map((one) => one.refresh())), signal);
    },
    /** Resolves when the signal has been aborted and the store no longer follows the cluster. */
    async ended(): Promise<void> {
      await ended;
    },
    /** The objects that are being deleted and that have the operator's finalizer. */
    finalizing: () => store.finalizing(),
    /** One client for each answering API server. */
    answeringServers: () => servers.answering(),
  };
}

/** The facts about API servers that a store needs. */
interface Servers {
  readonly oldest: number;
  readonly unknownPodFields?: readonly string[];
  readonly serverDefaults?: readonly string[] | undefined;
  readonly unlearned?: UnlearnedDefaults | undefined;
}

export class Store implements Cluster {
  /** The followed kinds, and their sinks. */
  readonly followed = new Map<Source, (Sink & { readonly synced: Promise<void> })[]>();
  readonly #policies: Collection<CompletePolicy>;
  readonly #namespaces: Collection<NamespaceView>;
  readonly #pods: Collection<PodView>;
  readonly #workloads: ReadonlyMap<string, Collection<WorkloadView>>;
  readonly #refused: RefusedPods;
  /** The roles. The store has one collection for the kind `Role`, and one for the kind `ClusterRole`. */
  readonly #roles: ReadonlyMap<string, Collection<RoleView>>;
  readonly #bindings: readonly Collection<RoleBindingView>[];
  readonly #rendered: readonly Collection<RenderedObject>[];
  readonly #finalizing: Collection<FinalizingView>;
  /** All rendered objects. The store caches the list of rendered objects until one of the objects changes. */
  #allRendered: readonly RenderedObject[] | undefined;
  readonly #servers: Servers;

  /**
   * @param now returns the time in milliseconds since 1970 at which a refusal counts as seen. If the function is absent,
   * the time of the refusal in the cluster counts
   */
  constructor(projection: Projection, servers: Servers, onChange: (change: Change) => void, now?: () => number) {
    this.#servers = servers;
    const rbac = () => onChange({ of: 'rbac' });
    const { policy, namespace, pod, workload, role, roleBinding, rendered, finalizing } = projection;

    this.#policies = this.#follow(sources.POLICIES, policy, ({ metadata }) =>
      onChange({ of: 'policy', name: metadata?.name ?? '' }),
    );
    this.#namespaces = this.#follow(sources.NAMESPACES, namespace, ({ name }) => onChange({ of: 'namespace', name }));
    this.#pods = this.#follow(sources.PODS, pod, (view, before) => onChange({ of: 'pod', ...seen(view, before) }));
    this.#workloads = new Map(
      sources.WORKLOADS.map((source) => [
        source.kind,
        this.#follow(source, workload, (view, before) => {
          const current = this.#workloads.get(view.kind)?.get(view.namespace, view.name);
          const shown = before && this.#refused.in(before);
          this.#refused.changed(current, current === view ? before : view);
          // Each start of a pod changes whether its workload lacks pods. Readers see only the refusal.
          if (current && shown && isDeepStrictEqual(seenByReaders(shown), seenByReaders(this.#refused.in(current))))
            return;
          onChange({ of: 'workload', ...seen(view, before) });
        }),
      ]),
    );
    this.#refused = new RefusedPods({
      project: projection.refusal,
      find: ({ kind, namespace, name }) => this.#workloads.get(kind)?.get(namespace, name),
      onChange,
      ...(now && { now }),
    });
    this.followed.set(sources.REFUSALS, [this.#refused]);
    this.#roles = new Map(
      [sources.ROLES, sources.CLUSTER_ROLES].map((source) => [source.kind, this.#follow(source, role, rbac)]),
    );
    this.#bindings = [sources.ROLE_BINDINGS, sources.CLUSTER_ROLE_BINDINGS].map((source) =>
      // Somebody may have deleted and recreated a binding between two lists. The new binding may have the same name but
      // another role.
      this.#follow(source, roleBinding, (binding, before) => {
        if (this.#concernsPolicies(binding) || (before && this.#concernsPolicies(before))) rbac();
      }),
    );
    this.#rendered = [...sources.ADMISSION_POLICIES, sources.CLUSTER_ROLES, sources.CLUSTER_ROLE_BINDINGS].map(
      (source) =>
        this.#follow(
          source,
          (raw) => (isOurs(raw) ? rendered(raw) : undefined),
          ({ kind, metadata }) => {
            this.#allRendered = undefined;
            onChange({ of: 'rendered', kind, name: metadata.name });
          },
        ),
    );
    this.#finalizing = this.#follow(sources.CLUSTER_ROLES, finalizing, () => onChange({ of: 'finalizing' }));
  }

  get oldestServer(): number {
    return this.#servers.oldest;
  }

  get unknownPodFields(): readonly string[] | undefined {
    return this.#servers.unknownPodFields;
  }

  get serverDefaults(): readonly string[] | undefined {
    return this.#servers.serverDefaults;
  }

  get unlearnedDefaults(): UnlearnedDefaults | undefined {
    return this.#servers.unlearned;
  }

  policies(): readonly CompletePolicy[] {
    return this.#policies.in('');
  }

  policy(name: string): CompletePolicy | undefined {
    return this.#policies.get('', name);
  }

  namespaces(): readonly NamespaceView[] {
    return this.#namespaces.in('');
  }

  namespace(name: string): NamespaceView | undefined {
    return this.#namespaces.get('', name);
  }

  pods(namespace: string): Iterable<PodView> {
    return this.#pods.in(namespace);
  }

  workloads(namespace: string): Iterable<WorkloadView> {
    return [...this.#workloads.values()]
      .flatMap((workloads) => workloads.in(namespace).filter((view) => !isHistory(view)))
      .map((view) => this.#refused.in(view))
      .sort((a, b) => compare(a.name, b.name) || compare(a.kind, b.kind));
  }

  workload(namespace: string, kind: string, name: string): WorkloadView | undefined {
    const view = this.#workloads.get(kind)?.get(namespace, name);
    return view && this.#refused.in(view);
  }

  *roles(): Generator<RoleView> {
    for (const roles of this.#roles.values()) yield* roles.all();
  }

  *roleBindings(): Generator<RoleBindingView> {
    for (const bindings of this.#bindings) yield* bindings.all();
  }

  rendered(): readonly RenderedObject[] {
    this.#allRendered ??= this.#rendered
      .flatMap((objects) => objects.in(''))
      .sort((a, b) => compare(a.metadata.name, b.metadata.name) || compare(a.kind, b.kind));
    return this.#allRendered;
  }

  finalizing(): readonly FinalizingView[] {
    return this.#finalizing.in('');
  }

  #follow<View>(
    source: Source,
    project: (raw: RawObject) => View | undefined,
    changed: (view: View, before?: View) => void,
  ): Collection<View> {
    const collection = new Collection<View>({ project, changed });
    this.followed.set(source, [...(this.followed.get(source) ?? []), collection]);
    return collection;
  }

  /**
   * Whether the binding's role grants a verb on policies. Most bindings of a cluster grant no verb on policies. The
   * operator ignores changes of bindings that grant no verb on policies.
   */
  #concernsPolicies({ namespace = '', role: { kind, name } }: RoleBindingView): boolean {
    return this.#roles.get(kind)?.get(kind === 'Role' ? namespace : '', name) !== undefined;
  }
}

/** @throws the signal's reason, if the signal is aborted earlier */
async function orAborted(done: Promise<unknown>, signal: AbortSignal): Promise<void> {
  await Promise.race([done, aborted(signal)]);
  signal.throwIfAborted();
}

/**
 * Describes the change of an object. The result has the object's namespace and name, and the object before and after
 * the change.
 */
function seen<View extends SeenObject>(view: View, before: View | undefined) {
  return { namespace: view.namespace, name: view.name, seen: [before ?? [], view].flat() };
}

function seenByReaders({ lacksPods: _lacks, replicaFailure: _failure, ...rest }: WorkloadView) {
  return rest;
}

function isOurs(raw: RawObject): boolean {
  return raw.metadata?.labels?.[MANAGED_BY_LABEL] === FIELD_MANAGER;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Collects policies, namespaces and RBAC objects from files, from a cluster, or from both. */
import { isDeepStrictEqual } from 'node:util';
import {
  type CapabilityPolicySpec,
  type CompletePolicy,
  type CompleteRollout,
  GROUP,
  KIND,
  VERSION,
} from '../../operator/api/capability-policy.ts';
import { completePolicy, completeSpec } from '../../operator/api/defaults.ts';
import type { Cluster, RoleBindingView, RoleView } from '../../operator/model/objects.ts';
import { formatTime } from '../../operator/policy/expiry.ts';
import { createProjection, type Projection } from '../../operator/projection/projection.ts';
import { scopeOf } from '../../operator/projection/rbac-projection.ts';
import { UNSHARED } from '../../operator/projection/sharing.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { reportedServerDefaults } from '../../operator/state/server-defaults.ts';
import { type InputObject, identityOf } from '../manifests/document-objects.ts';
import { roleOf } from '../manifests/kinds.ts';
import { type Trouble, troublePlace } from '../manifests/trouble.ts';
import type { FieldPath } from '../schema/paths.ts';
import { aggregatedRoles, type ClusterRole, clusterRoleOf, IN_EVERY_CLUSTER } from './aggregation.ts';
import { automountingOf } from './automounting.ts';
import { type Labels, PolicyContext, type PolicyContextOptions, type PolicySource, placeOfSource } from './context.ts';
import { isContextObject, readObject } from './context-objects.ts';
import { enforcedEverywhere, type Supposed, withPending } from './supposed.ts';
import { validatePolicy } from './validate.ts';

/**
 * Everything that a builder has collected from files. The data consists of plain values that can be sent to another
 * thread.
 */
export type Collected = ReturnType<typeof nothing>;

function nothing() {
  return {
    policies: new Map<string, CompletePolicy>(),
    /** The files and lines from which the policies of manifests were read. */
    sources: new Map<string, PolicySource>(),
    namespaces: new Map<string, Labels>(),
    roles: new Map<string, RoleView>(),
    bindings: new Map<string, RoleBindingView>(),
    /** The ClusterRoles with their labels. An aggregationRule selects ClusterRoles by their labels. */
    clusterRoles: new Map(IN_EVERY_CLUSTER.map((role) => [role.name, role])),
    automounting: new Map<string, boolean>(),
    /** Whether the policies in manifests and in the cluster are used. */
    takesPolicies: true,
  };
}

/**
 * Builds a policy context. A later object replaces an earlier object with the same name. `kubectl apply` would have the
 * same effect.
 */
export class PolicyContextBuilder {
  readonly #projection: Projection = createProjection(RULES, UNSHARED);
  readonly #all: Collected;
  /**
   * Functions that find the lines of a policy's fields. The functions are not in `collected`, because a function cannot
   * be sent to another thread.
   */
  readonly #lineOf = new Map<string, InputObject['lineOf']>();
  /** The namespace of roles and bindings that have no `metadata.namespace`. */
  readonly #namespace: string;
  #live: Cluster | undefined;
  #statesContext = false;

  constructor(namespace = 'default', collected: Collected = nothing()) {
    this.#namespace = namespace;
    this.#all = collected;
  }

  /** Enforces one level in every namespace, and ignores the policies in manifests and in the cluster. */
  static ofLevel(level: Level, levelVersion: string): PolicyContextBuilder {
    const builder = new PolicyContextBuilder();
    const name = `level-${level}`;
    builder.addPolicy(name, { namespaceSelector: {}, level, levelVersion, mode: 'Enforce' });
    builder.#all.sources.set(name, { file: '--level', line: null });
    builder.#all.takesPolicies = false;
    return builder;
  }

  /**
   * The policies and other objects that the builder has collected. The value is undefined if the builder has read a
   * cluster, because a cluster is too large to be sent.
   */
  get collected(): Collected | undefined {
    return this.#live ? undefined : this.#all;
  }

  /**
   * The policies of manifests and of the cluster. The key is the policy's name. A policy of a manifest replaces a
   * policy of the cluster with the same name.
   */
  get policies(): ReadonlyMap<string, CompletePolicy> {
    return this.#all.policies;
  }

  /** The places where the policies from manifests were read. */
  get sources(): ReadonlyMap<string, PolicySource> {
    return this.#all.sources;
  }

  /**
   * The line of a field of a policy from a manifest. If the field is absent, the result is the line of the nearest
   * existing field that contains the absent field.
   */
  lineIn(policy: string, path: FieldPath): number | null {
    return this.#lineOf.get(policy)?.(path) ?? null;
  }

  get isEmpty(): boolean {
    return this.#all.policies.size === 0;
  }

  /** The sorted names of the policies in manifests. */
  get stated(): readonly string[] {
    return [...this.#all.sources.keys()].sort();
  }

  /** Whether manifests had namespaces, roles or bindings. */
  get statesContext(): boolean {
    return this.#statesContext;
  }

  /** The rollouts of the policies with the given names. The key is the policy's name. */
  rollouts(names: readonly string[]): Map<string, CompleteRollout> {
    const specs = names.flatMap((name) => {
      const spec = this.#all.policies.get(name)?.spec;
      return spec ? [[name, spec] as const] : [];
    });
    // If the mode of a policy is not Enforce, the policy's rollout is resting, and the result leaves the rollout out.
    return new Map(
      specs.flatMap(([name, { mode, rollout }]) => (rollout && mode === 'Enforce' ? [[name, rollout]] : [])),
    );
  }

  /** Adds a policy that is neither in a file nor in the cluster. */
  addPolicy(name: string, spec: CapabilityPolicySpec): void {
    const metadata = { name };
    this.#all.policies.set(name, { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata, spec: completeSpec(spec) });
  }

  /** @param tell receives the problems of the object. An object that cannot be read is skipped */
  addManifest(manifest: InputObject, tell: (trouble: Trouble) => void): void {
    const role = roleOf(manifest.object.apiVersion, manifest.object.kind);
    if (isContextObject(role)) this.#statesContext = true;
    const object = isContextObject(role) ? readObject(manifest, tell) : manifest.object;
    if (!object) return;
    switch (role) {
      case 'policy':
        if (this.#all.takesPolicies) this.#addPolicyManifest(manifest, tell);
        return;
      case 'namespace': {
        const { name, labels } = this.#projection.namespace(object);
        // The labels of the live namespace are kept, as `kubectl apply` would keep them. The labels of an earlier
        // manifest of the namespace are dropped.
        this.#all.namespaces.set(name, { ...this.#live?.namespace(name)?.labels, ...labels });
        return;
      }
      case 'role':
        this.#addRoleManifest(object);
        return;
      case 'roleBinding':
        this.#addBinding(object.kind, this.#projection.roleBinding(this.#placed(object)));
        return;
      case 'serviceAccount':
        this.addAutomounting(automountingOf(object));
        return;
      default:
    }
  }

  addCluster(cluster: Cluster): void {
    this.#live = cluster;
    if (this.#all.takesPolicies) {
      for (const policy of cluster.policies()) this.#all.policies.set(policy.metadata?.name ?? '', policy);
    }
    for (const { name, labels } of cluster.namespaces()) this.#all.namespaces.set(name, labels);
    // Until addClusterRoles() is called, aggregated roles have only the rules that a controller has written.
    this.#all.clusterRoles.clear();
    for (const role of cluster.roles()) this.#addRole(role.namespace ? 'Role' : 'ClusterRole', role);
    for (const one of cluster.roleBindings()) {
      this.#addBinding(one.namespace ? 'RoleBinding' : 'ClusterRoleBinding', one);
    }
  }

  /**
   * Adds all ClusterRoles of a cluster. Aggregated roles in manifests may select ClusterRoles of the cluster. Callers
   * must call addCluster() first.
   */
  addClusterRoles(roles: readonly ClusterRole[]): void {
    for (const role of roles) this.#all.clusterRoles.set(role.name, role);
  }

  addAutomounting(known: Iterable<readonly [string, boolean]>): void {
    for (const [name, mounts] of known) this.#all.automounting.set(name, mounts);
  }

  /** Builds the context. @param tell receives the problems of policies whose form is valid */
  build(options: PolicyContextOptions, tell: (trouble: Trouble) => void, supposed: Supposed = {}): PolicyContext {
    for (const role of aggregatedRoles([...this.#all.clusterRoles.values()])) this.#addRole('ClusterRole', role);
    const namespaces = this.#labelsWith(supposed.pending ?? new Map());
    const cluster = this.#cluster(options, namespaces, supposed.enforced ?? []);
    const state = new PolicyState(cluster, { ...options, now: () => options.at });
    state.accept();
    const tellOf = (name: string, rest: Pick<Trouble, 'message' | 'severity'>) => {
      tell({ ...placeOfSource(this.#all.sources.get(name)), ...rest });
    };
    for (const [name, { message }] of state.compiled.refusals) {
      tellOf(name, { message: `CapabilityPolicy ${name}: ${message}` });
    }
    for (const { name, expires } of state.compiled.expired) {
      const message = `CapabilityPolicy ${name} expired at ${formatTime(expires)} and counts as deleted`;
      tellOf(name, { message, severity: 'warning' });
    }
    const { namespaceLabels } = options;
    return new PolicyContext({
      cluster,
      state,
      namespaceLabels,
      namespaces,
      automounting: this.#all.automounting,
      sources: this.#all.sources,
      live: supposed.live,
    });
  }

  #labelsWith(pending: NonNullable<Supposed['pending']>): ReadonlyMap<string, Labels> {
    const labels = new Map(this.#all.namespaces);
    for (const [namespace, policies] of pending) {
      labels.set(namespace, withPending(labels.get(namespace), policies));
    }
    return labels;
  }

  /** The live cluster as it would be after the manifests were applied. */
  #cluster(
    { oldestServer, serverDefaults }: PolicyContextOptions,
    labels: ReadonlyMap<string, Labels>,
    enforced: readonly string[],
  ): Cluster {
    const live = this.#live;
    const policies = [...this.#all.policies].map(([name, policy]) =>
      enforced.includes(name) ? enforcedEverywhere(policy) : policy,
    );
    // The status of a manifest is ignored. So the statuses of the live policies count, even if manifests replace them.
    const known = serverDefaults ?? (live && reportedServerDefaults([...live.policies(), ...policies]));
    const namespaces = new Map(
      live?.namespaces().map((one) => [one.name, { ...one, labels: labels.get(one.name) ?? one.labels }]),
    );
    return {
      policies: () => policies,
      policy: (name) => policies.find(({ metadata }) => metadata?.name === name),
      namespaces: () => [...namespaces.values()],
      namespace: (name) => namespaces.get(name),
      pods: (namespace) => live?.pods(namespace) ?? [],
      workloads: (namespace) => live?.workloads(namespace) ?? [],
      workload: (namespace, kind, name) => live?.workload(namespace, kind, name),
      roles: () => this.#all.roles.values(),
      roleBindings: () => this.#all.bindings.values(),
      rendered: () => (this.#all.takesPolicies && live ? live.rendered() : []),
      oldestServer,
      ...(known && { serverDefaults: known }),
    };
  }

  #addPolicyManifest({ object, file, line, lineOf, textOf }: InputObject, tell: (trouble: Trouble) => void): void {
    // Anybody can write a status into a file. `kubectl apply` ignores it, and so does the builder.
    const { status: _, ...stated } = object;
    const { policy, problems } = validatePolicy(stated, textOf);
    const name = String(object.metadata?.name ?? '');
    for (const { path, message } of problems) {
      tell({ file, line: lineOf(path), message: `CapabilityPolicy ${name}: ${message}` });
    }
    if (!policy) return;
    const complete = completePolicy(policy);
    const [known, source] = [this.#all.policies.get(name), this.#all.sources.get(name)];
    // Two policies with the same name and different specs are an error. If somebody applied both policies, the order of
    // the writes would decide which spec is in force.
    if (known && source && !isDeepStrictEqual(known.spec, complete.spec)) {
      const place = troublePlace(placeOfSource(source));
      const message = `CapabilityPolicy ${name} is also at ${place}, with another spec: keep only one of the two`;
      tell({ file, line, message });
    }
    const metadata = { ...policy.metadata, ...(known?.metadata && pickIdentity(known.metadata)) };
    this.#all.policies.set(name, { ...complete, metadata });
    this.#all.sources.set(name, { file, line });
    this.#lineOf.set(name, lineOf);
  }

  #addRoleManifest(object: InputObject['object']): void {
    if (object.kind === 'ClusterRole') this.addClusterRoles([clusterRoleOf(object)]);
    const placed = this.#placed(object);
    // A role without grants is added, too, because it may replace a live role that grants something.
    this.#addRole(object.kind, this.#projection.role(placed) ?? { ...scopeOf(placed), rules: [] });
  }

  /** The role or binding with the namespace in which it will be created. */
  #placed(object: InputObject['object']): InputObject['object'] {
    if (object.kind.startsWith('Cluster')) return object;
    const { namespace } = identityOf(object, this.#namespace);
    return { ...object, metadata: { ...object.metadata, namespace } };
  }

  #addRole(kind: string, role: RoleView | undefined): void {
    if (role) this.#all.roles.set(`${kind}/${role.namespace ?? ''}/${role.name}`, role);
  }

  #addBinding(kind: string, binding: RoleBindingView): void {
    this.#all.bindings.set(`${kind}/${binding.namespace ?? ''}/${binding.name}`, binding);
  }
}

/** The metadata fields of the live policy that stay the same when somebody changes the policy. */
function pickIdentity({ uid, creationTimestamp, generation }: NonNullable<CompletePolicy['metadata']>) {
  return {
    ...(uid !== undefined && { uid }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(generation !== undefined && { generation }),
  };
}

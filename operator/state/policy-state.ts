/**
 * The accepted policies in the last seen state of a cluster. The state has the namespaces that each policy selects, and
 * the users of each policy. The methods `apply`, `select`, `outdate`, `forget` and `accept` change the state. All other
 * methods read the state.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CompletePolicy } from '../api/capability-policy.ts';
import type { Compiled, CompileOptions, CompilerOptions } from '../compile/compile.ts';
import type { AdmissionOptions } from '../compile/match.ts';
import { type Loosening, looseningsBy } from '../evaluate/loosening.ts';
import { type RenderedGrants, renderedGrants, withRendered } from '../evaluate/rendered-grants.ts';
import { createUseIndex, type UseIndex } from '../evaluate/use.ts';
import type { Change, Cluster, NamespaceView, RenderedObject } from '../model/objects.ts';
import type { AcceptedText } from '../policy/accepted-text.ts';
import { type Concerned, type Coverage, mergeCoverages, Selections } from '../policy/coverage.ts';
import { isExcluded, isReached } from '../policy/deciding.ts';
import type { Resolution, ResolvedPolicy } from '../policy/resolve.ts';
import { runToEnd } from '../policy/run-to-end.ts';
import type { Labels } from '../policy/selector.ts';
import { AcceptedPolicies, type CompileInput } from './accepted-policies.ts';
import { reportedServerDefaults } from './server-defaults.ts';

export interface PolicyStateOptions extends AdmissionOptions, CompilerOptions {
  /** Returns the time of day, in milliseconds since 1970. The time of day determines whether a policy has expired. */
  readonly now: () => number;
  /** Whether all roles and bindings could be read. The default is true. */
  readonly usersKnown?: boolean;
  /** Returns the uid of the CustomResourceDefinition of policies. Without the uid, rendered objects have no owner. */
  readonly ownerUid?: () => string;
  /** Returns the labels by which policies select a namespace. The default is the namespace's own labels. */
  readonly labelsOf?: (namespace: NamespaceView) => Labels;
  /** Returns the stages of rollouts. By default, a policy with `rollout` is compiled as if its rollout had begun. */
  readonly stages?: (
    policies: readonly CompletePolicy[],
    rendered: readonly RenderedObject[],
  ) => NonNullable<CompileOptions['stages']>;
}

/** The policies and namespaces that a change of the cluster concerns. */
interface PolicyChange extends Concerned {
  /**
   * Whether policies have to be compiled again. If `recompiles` is true, the state remains stale until `accept` is
   * called.
   */
  readonly recompiles: boolean;
}

/** The policies and namespaces that a new compilation concerns. */
export interface AcceptedChange extends Concerned {
  /** The namespaces that are now selected by different policies than before, or by changed policies. */
  readonly reselected: ReadonlySet<string>;
}

const NOTHING: Concerned = { policies: new Set(), namespaces: new Set() };

export class PolicyState {
  readonly #cluster: Cluster;
  readonly #options: PolicyStateOptions;
  readonly #excluded: readonly string[];
  readonly #accepted: AcceptedPolicies;
  readonly #selections = new Selections();
  #grants: RenderedGrants = new Map();
  #use: UseIndex | undefined;

  constructor(cluster: Cluster, options: PolicyStateOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#accepted = new AcceptedPolicies(options);
    this.#excluded = [options.operatorNamespace, ...options.excludedNamespaces];
  }

  /** Records a change of the cluster. */
  apply(change: Change): PolicyChange {
    switch (change.of) {
      case 'policy': {
        // The watch reports writes of a status, too. A write of the status does not change the policy's spec.
        const recompiles = this.#accepted.see(change.name, this.#cluster.policy(change.name));
        return { ...NOTHING, policies: new Set([change.name]), recompiles };
      }
      case 'namespace':
        return { policies: this.select(change.name), namespaces: new Set([change.name]), recompiles: false };
      case 'rbac':
        this.#use = undefined;
        return { ...this.#restricted(), recompiles: false };
      case 'servers':
        if (change.oldest || change.fields) this.outdate();
        return {
          ...(change.fields ? this.#everyPolicy() : NOTHING),
          recompiles: change.oldest || change.fields === true,
        };
      default:
        return { ...NOTHING, recompiles: false };
    }
  }

  /**
   * Determines again which policies select a namespace.
   * @returns the names of the policies that select the namespace now or selected it before
   */
  select(name: string): ReadonlySet<string> {
    const namespace = this.#cluster.namespace(name);
    const labels = namespace && this.isReached(namespace) ? this.effectiveLabels(namespace) : undefined;
    return this.#selections.update(name, labels);
  }

  /** @param edited the names of policies that have changed */
  outdate(edited: Iterable<string> = []): void {
    this.#accepted.outdate(edited);
  }

  /** Forgets the specs that this process accepted. The roles in the cluster also record the last accepted specs. */
  forget(): void {
    this.#accepted.forget();
  }

  /**
   * Lets the given policies keep the specs that their roles record, and lets all other policies take their current
   * specs. If a policy changes its spec by this, the state is stale until `accept` is called.
   * @returns the names of the policies that keep another spec than before
   */
  hold(policies: ReadonlySet<string>): ReadonlySet<string> {
    return this.#accepted.hold(policies, this.#cluster.rendered());
  }

  /** The API server's messages about the policies whose current spec is rejected. The key is the policy's name. */
  get rejected(): ReadonlyMap<string, string> {
    return new Map([...this.#accepted.rejected].map(([name, { message }]) => [name, message]));
  }

  /**
   * Lets the given policies keep the specs that were last in force, because the API server refuses programs with their
   * current specs. All other policies take their current specs. The state is stale until `accept` is called.
   * @param messages the API server's messages. The key is the policy's name
   * @returns the names of the policies that keep another spec than before
   */
  reject(messages: ReadonlyMap<string, string>): ReadonlySet<string> {
    return this.#accepted.reject(messages);
  }

  /** Records that every API server enforces the rows of the given policies. */
  proved(policies: Iterable<string>): void {
    this.#accepted.proved(policies);
  }

  /** Whether an earlier version of the policy is known to have been in force. */
  isProven(policy: string): boolean {
    return this.#accepted.isProven(policy);
  }

  /** Compiles the policies as if the given policies, and no others, were rejected. Nothing changes. */
  supposing(rejected: ReadonlySet<string>): Generator<void, Compiled> {
    return this.#accepted.supposing(rejected, this.#compileInput());
  }

  /** Whether the policies have changed. If the policies have changed, call `accept` before you read the state. */
  get isStale(): boolean {
    return this.#accepted.isStale;
  }

  /** Runs `accepting` without interruption. */
  accept(): AcceptedChange {
    return runToEnd(this.accepting());
  }

  /**
   * Compiles the current policies in steps. The last step accepts the policies that can be compiled. Nothing changes
   * before the last step.
   */
  *accepting(): Generator<void, AcceptedChange> {
    const compiled = yield* this.#accepted.compiling(() => this.#compileInput());
    const resolved = this.#accepted.take(compiled, this.#cluster.policies());
    const namespaces = this.#cluster
      .namespaces()
      .filter((namespace) => this.isReached(namespace))
      .map((namespace) => ({ name: namespace.name, labels: this.effectiveLabels(namespace) }));
    const selected = this.#selections.replace(compiled.policies, namespaces);
    const restricted = this.#grant(compiled.policies) ? this.#restricted() : NOTHING;
    return {
      policies: selected.policies.union(resolved).union(restricted.policies),
      namespaces: selected.namespaces.union(restricted.namespaces),
      reselected: selected.namespaces,
    };
  }

  /** @returns whether the grants of the policies have changed */
  #grant(policies: readonly ResolvedPolicy[]): boolean {
    const grants = renderedGrants(policies);
    if (isDeepStrictEqual(grants, this.#grants)) return false;
    this.#grants = grants;
    this.#use = undefined;
    return true;
  }

  #compileInput(): CompileInput {
    const { operatorNamespace, excludedNamespaces, now, stages, ownerUid = () => '' } = this.#options;
    const [policies, rendered] = [this.#cluster.policies(), this.#cluster.rendered()];
    return {
      policies,
      rendered,
      options: {
        oldestServer: this.#cluster.oldestServer,
        unknownPodFields: this.#cluster.unknownPodFields ?? [],
        serverDefaults: this.#cluster.serverDefaults ?? reportedServerDefaults(policies),
        now: now(),
        operatorNamespace,
        excludedNamespaces,
        ownerUid: ownerUid(),
        ...(stages && { stages: stages(policies, rendered) }),
      },
    };
  }

  /** The result of the last `accept`. */
  get compiled(): Compiled {
    return this.#accepted.compiled;
  }

  /** Whether the policy has the same rows and the same users as in the earlier compilation `then`. */
  isCompiledAs(policy: string, then: Compiled): boolean {
    return this.#accepted.isCompiledAs(policy, then);
  }

  /**
   * The rights to use policies. The rights include all grants that the operator renders, even if the operator has not
   * written the grants yet.
   */
  get use(): UseIndex {
    if (!this.#use) {
      const live = { roles: this.#cluster.roles(), bindings: this.#cluster.roleBindings() };
      const { roles, bindings } = withRendered(live, this.#grants);
      this.#use = createUseIndex(roles, bindings, this.#options.usersKnown);
    }
    return this.#use;
  }

  resolution(policy: string): Resolution | undefined {
    return this.#accepted.resolution(policy);
  }

  /**
   * For a policy, returns the version that decides. If the operator can compile the current version of the policy, the
   * current version decides. Otherwise, the last accepted version decides.
   */
  acceptedText(policy: string): AcceptedText | undefined {
    return this.#accepted.acceptedText(policy);
  }

  /** Whether the policy counted as deleted when it was compiled. */
  hasExpired(policy: string): boolean {
    return this.compiled.expired.some(({ name }) => name === policy);
  }

  /** The coverage of a policy. If the policy was never accepted or has expired, the result is undefined. */
  coverage(policy: string): Coverage | undefined {
    const parts = this.#accepted.parts(policy);
    return parts && mergeCoverages(parts.map((part) => this.#selections.coverage(part)));
  }

  /**
   * The policies with a rollout that become looser because of this policy. The result covers the namespaces where the
   * policy decides.
   */
  loosenings(policy: string): Loosening[] {
    const parts = this.#accepted.parts(policy) ?? [];
    return parts.flatMap((part) =>
      looseningsBy(part, this.#selections.coverage(part).deciding, (namespace) => this.selecting(namespace)),
    );
  }

  /**
   * The policies that select the namespace with this name. The method returns the same array until a policy that
   * selects the namespace changes.
   */
  selecting(namespace: string): readonly ResolvedPolicy[] {
    return this.#selections.selecting(namespace);
  }

  /** The labels by which policies select the namespace. */
  effectiveLabels(namespace: NamespaceView): Labels {
    return this.#options.labelsOf?.(namespace) ?? namespace.labels;
  }

  /** Whether policies decide in the namespace, so that its pods and workloads are evaluated. */
  isReached(namespace: NamespaceView): boolean {
    return isReached(namespace, this.#excluded);
  }

  /** The namespaces that no policy reaches. Each item is a name, or a prefix that ends in `*`. */
  get excluded(): readonly string[] {
    return this.#excluded;
  }

  isExcluded(namespace: string): boolean {
    return isExcluded(namespace, this.#excluded);
  }

  /**
   * The names of all policies. The statuses of all policies change when API servers get pod fields that this release
   * does not know.
   */
  #everyPolicy(): Concerned {
    return { ...NOTHING, policies: new Set(this.#cluster.policies().map(({ metadata }) => metadata?.name ?? '')) };
  }

  /**
   * The policies with restricted use, and the namespaces that they select. A change of an RBAC object concerns only
   * policies with restricted use.
   */
  #restricted(): Concerned {
    const policies = this.compiled.policies.filter(({ usableBy }) => usableBy !== 'Everyone');
    const namespaces = policies.flatMap(({ id }) => [...this.#selections.selectedBy(id)]);
    return { policies: new Set(policies.map(({ name }) => name)), namespaces: new Set(namespaces) };
  }
}

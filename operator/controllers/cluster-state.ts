/**
 * The state derived from the cluster as last seen, and the outcomes of controllers, as far as more than one of them
 * needs it. It changes only through `apply` and `accept`, which return what becomes dirty.
 */
import { isDeepStrictEqual } from 'node:util';
import { standingEnforced } from '../apply/accepted-specs.ts';
import { presentLabels } from '../apply/namespace-labels.ts';
import type { LabelOutcome } from '../apply/outcome.ts';
import type { Compiled, CompilerOptions } from '../compile/compile.ts';
import { type PodSecurityDefaults, podSecurityLabels } from '../compile/labels.ts';
import type { AdmissionOptions } from '../compile/match.ts';
import { type RenderedGrants, renderedGrants, withRendered } from '../evaluate/rendered-grants.ts';
import { createUseIndex, type UseIndex } from '../evaluate/use.ts';
import { COST_LIMIT, Evaluator } from '../evaluate/violations.ts';
import type { Change, Cluster, NamespaceView } from '../model/objects.ts';
import type { AcceptedText } from '../policy/accepted-text.ts';
import { type Concerned, type Coverage, mergeCoverages, Selections } from '../policy/coverage.ts';
import { isExcluded, isReached } from '../policy/deciding.ts';
import { lastOf } from '../policy/pieces.ts';
import type { Resolution, ResolvedPolicy } from '../policy/resolve.ts';
import type { Labels } from '../policy/selector.ts';
import { hasPendingLabel, isAwaited, type RolloutLabels, Rollouts, stagesOf } from '../promotion/rollouts.ts';
import { SeenObjects } from '../promotion/seen.ts';
import { PromotionVerdicts } from '../promotion/verdicts.ts';
import { AcceptedPolicies, type CompileInput } from './accepted-policies.ts';
import { newOutcomes } from './outcomes.ts';
import { type Cause, type Found, type StateChange, unchanged } from './state-change.ts';

/** If the saved states of roll-outs cannot be read for so long, the other policies must not wait for longer. */
const MOST_WAIT_MS = 10_000;

export interface ClusterStateOptions extends AdmissionOptions, CompilerOptions {
  readonly podSecurityDefaults: PodSecurityDefaults;
  /** The time of day, in ms since 1970: policies expire. */
  readonly now?: () => number;
  /** Whether all roles and bindings could be read; by default they are. */
  readonly usersKnown?: boolean;
  /** Compile a roll-out as far as it has come in the cluster; otherwise as if it had begun. */
  readonly rollsOut?: boolean;
  /** The uid of the CustomResourceDefinition of policies; without it, rendered objects have no owner. */
  readonly ownerUid?: () => string;
}

const NOTHING_CONCERNED: Concerned = { policies: new Set(), namespaces: new Set() };

export class ClusterState {
  readonly outcomes = newOutcomes();
  /** The states of roll-outs in this term. The controller of promotions writes them. */
  readonly promotions = new Rollouts();
  /** Also kept by a standby, which then knows what its predecessor may have missed. */
  readonly seen = new SeenObjects();
  readonly verdicts = new PromotionVerdicts();
  /** One for all controllers: it remembers its verdicts. */
  readonly evaluator = new Evaluator({ costLimit: COST_LIMIT });
  readonly #cluster: Cluster;
  readonly #options: ClusterStateOptions;
  readonly #now: () => number;
  /** The namespaces that no policy reaches. */
  readonly #excluded: readonly string[];
  readonly #policies: AcceptedPolicies;
  readonly #selections = new Selections();
  #grants: RenderedGrants = new Map();
  #use: UseIndex | undefined;
  /** Since when states of roll-outs are awaited, as performance.now(). */
  #awaitsSince: number | undefined;

  constructor(cluster: Cluster, options: ClusterStateOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#policies = new AcceptedPolicies(options);
    this.#now = options.now ?? (() => Date.now());
    this.#excluded = [options.operatorNamespace, ...options.excludedNamespaces];
  }

  /** Records what happened. */
  apply(cause: Cause): StateChange {
    switch (cause.of) {
      case 'policy':
        return this.#applyPolicy(cause, cause.name);
      case 'pod':
      case 'workload':
        this.#see(cause);
        return unchanged(cause);
      case 'namespace':
        return { ...unchanged(cause), policies: this.#select(cause.name), namespaces: new Set([cause.name]) };
      case 'rbac':
        this.#use = undefined;
        return { ...unchanged(cause), ...this.#restricted() };
      case 'servers':
        if (cause.oldest) this.#policies.outdate();
        return { ...unchanged(cause), recompiles: cause.oldest };
      case 'term':
        return this.#forgetTerm(cause);
      case 'found':
        return this.#applyFound(cause);
      default:
        return unchanged(cause);
    }
  }

  /** Whether `accept` has to be called before anything is read. */
  get isStale(): boolean {
    return this.#policies.isStale;
  }

  /** Runs `accepting` in one piece. */
  accept(): StateChange {
    return lastOf(this.accepting());
  }

  /**
   * Compiles the current policies, in pieces. The last piece accepts those that can be compiled; nothing changes before
   * it.
   */
  *accepting(): Generator<void, StateChange> {
    const compiled = yield* this.#policies.compiling(() => this.#compileInput());
    const resolved = this.#policies.take(compiled, this.#cluster.policies());
    const namespaces = this.#cluster
      .namespaces()
      .filter((namespace) => this.isReached(namespace))
      .map((namespace) => ({ name: namespace.name, labels: this.effectiveLabels(namespace) }));
    const concerned = this.#selections.replace(compiled.policies, namespaces);
    // A verdict by another text is worthless: drop it until the namespace has been evaluated again.
    for (const name of concerned.namespaces) this.outcomes.judgements.delete(name);
    const restricted = this.#grant(compiled.policies) ? this.#restricted() : NOTHING_CONCERNED;
    return {
      ...unchanged({ of: 'accepted' }),
      policies: concerned.policies.union(resolved).union(restricted.policies),
      namespaces: concerned.namespaces.union(restricted.namespaces),
    };
  }

  /** @returns whether the policies grant something else than before */
  #grant(policies: readonly ResolvedPolicy[]): boolean {
    const grants = renderedGrants(policies);
    if (isDeepStrictEqual(grants, this.#grants)) return false;
    this.#grants = grants;
    this.#use = undefined;
    return true;
  }

  #compileInput(): CompileInput {
    const { operatorNamespace, excludedNamespaces, rollsOut = false, ownerUid = () => '' } = this.#options;
    const [policies, rendered] = [this.#cluster.policies(), this.#cluster.rendered()];
    return {
      policies,
      rendered,
      options: {
        oldestServer: this.#cluster.oldestServer,
        now: this.#now(),
        operatorNamespace,
        excludedNamespaces,
        ownerUid: ownerUid(),
        ...(rollsOut && { stages: stagesOf(policies, this.promotions, standingEnforced(rendered)) }),
      },
    };
  }

  /** As of the last `accept`. */
  get compiled(): Compiled {
    return this.#policies.compiled;
  }

  /** Whether the policy has the same rows and users as then. */
  isCompiledAs(policy: string, then: Compiled): boolean {
    return this.#policies.isCompiledAs(policy, then);
  }

  /** With the grants that the operator renders, whether or not it has written them. */
  get use(): UseIndex {
    if (!this.#use) {
      const live = { roles: this.#cluster.roles(), bindings: this.#cluster.roleBindings() };
      const { roles, bindings } = withRendered(live, this.#grants);
      this.#use = createUseIndex(roles, bindings, this.#options.usersKnown);
    }
    return this.#use;
  }

  resolution(policy: string): Resolution | undefined {
    return this.#policies.resolution(policy);
  }

  /** The text that decides for a policy: its current one, or the last accepted one while the current one is refused. */
  acceptedText(policy: string): AcceptedText | undefined {
    return this.#policies.acceptedText(policy);
  }

  /** Whether the policy counted as deleted when it was compiled. */
  hasExpired(policy: string): boolean {
    return this.compiled.expired.some(({ name }) => name === policy);
  }

  /** Undefined for a policy that was never accepted, or has expired. */
  coverage(policy: string): Coverage | undefined {
    const parts = this.#policies.parts(policy);
    return parts && mergeCoverages(parts.map((part) => this.#selections.coverage(part)));
  }

  /** The policies that select the namespace, by name: the same list until one of them changes. */
  selecting(namespace: string): readonly ResolvedPolicy[] {
    return this.#selections.selecting(namespace);
  }

  /** The labels by which policies select the namespace: as they will be when the roll-outs' labels are written. */
  effectiveLabels(namespace: NamespaceView): Labels {
    return this.promotions.effective(namespace);
  }

  /** Whether texts and labels have to wait for the controller of promotions. */
  awaitsRollouts(): boolean {
    const hasExpired = (policy: string) => this.hasExpired(policy);
    if (!isAwaited(this.#cluster.policies(), this.compiled.specs, this.promotions, hasExpired)) {
      this.#awaitsSince = undefined;
      return false;
    }
    this.#awaitsSince ??= performance.now();
    return performance.now() - this.#awaitsSince < MOST_WAIT_MS;
  }

  rolloutLabels(namespace: NamespaceView): RolloutLabels {
    return this.promotions.labelsOf(namespace);
  }

  /** The Pod Security labels that the policies ask for here. */
  wantedLabels(namespace: NamespaceView): Record<string, string> {
    const options = {
      oldestServer: this.#cluster.oldestServer,
      podSecurityDefaults: this.#options.podSecurityDefaults,
    };
    return podSecurityLabels(this.selecting(namespace.name), this.effectiveLabels(namespace), options);
  }

  /** Whether policies decide in the namespace, and what runs there is evaluated. */
  isReached(namespace: NamespaceView): boolean {
    return isReached(namespace, this.#excluded);
  }

  /** The namespaces that no policy reaches: names, or prefixes that end in `*`. */
  get excluded(): readonly string[] {
    return this.#excluded;
  }

  /** The time of day, in milliseconds since 1970. */
  now(): number {
    return this.#now();
  }

  isExcluded(namespace: string): boolean {
    return isExcluded(namespace, this.#excluded);
  }

  /** The outcome of this term; before the first one, derived from the labels themselves. */
  labelOutcomes(namespaces: readonly string[]): Map<string, LabelOutcome> {
    const entries = namespaces.flatMap((name) => {
      const namespace = this.#cluster.namespace(name);
      return namespace
        ? [[name, this.outcomes.labels.get(name) ?? presentLabels(namespace, this.wantedLabels(namespace))] as const]
        : [];
    });
    return new Map(entries);
  }

  /** The watch shows our own status writes as changes, too. */
  #applyPolicy(cause: Cause, name: string): StateChange {
    const recompiles = this.#policies.see(name, this.#cluster.policy(name));
    // It may even be another policy of the same name.
    if (recompiles) for (const outcomes of [this.outcomes.programs, this.outcomes.progress]) outcomes.delete(name);
    return { ...unchanged(cause), policies: new Set([name]), recompiles };
  }

  #select(name: string): ReadonlySet<string> {
    const namespace = this.#cluster.namespace(name);
    return this.#selections.update(
      name,
      namespace && this.isReached(namespace) ? this.effectiveLabels(namespace) : undefined,
    );
  }

  /** RBAC matters to policies that are not for everyone, in the namespaces that they select. */
  #restricted(): Concerned {
    const policies = this.compiled.policies.filter(({ usableBy }) => usableBy !== 'Everyone');
    const namespaces = policies.flatMap(({ id }) => [...this.#selections.selectedBy(id)]);
    return { policies: new Set(policies.map(({ name }) => name)), namespaces: new Set(namespaces) };
  }

  /** A promotion depends on everything that was in the namespace, however briefly. */
  #see({ namespace: name, seen = [] }: Extract<Change, { of: 'pod' | 'workload' }>): void {
    const namespace = this.#cluster.namespace(name);
    if (!namespace) this.seen.forget(name);
    else if (hasPendingLabel(this.effectiveLabels(namespace))) this.seen.add(name, seen, this.#now());
  }

  #applyFound(cause: Found): StateChange {
    const { policies: found = [], namespace, namespaces = [], recompiles = false } = cause;
    if (recompiles) this.#policies.outdate(found);
    const reselected = [...namespaces].flatMap((name) => [...this.#select(name)]);
    const selecting = namespace === undefined ? [] : this.selecting(namespace).map(({ name }) => name);
    const policies = new Set([...found, ...selecting, ...reselected]);
    return { ...unchanged(cause), policies, namespaces: new Set(namespaces), recompiles };
  }

  #forgetTerm(cause: Cause): StateChange {
    this.#policies.forget();
    for (const outcome of Object.values(this.outcomes)) outcome.clear();
    this.promotions.clear();
    this.verdicts.endTerm(this.#now());
    const policies = this.#cluster.policies().map(({ metadata }) => metadata?.name ?? '');
    const namespaces = this.#cluster.namespaces().map(({ name }) => name);
    return { cause, policies: new Set(policies), namespaces: new Set(namespaces), recompiles: true };
  }
}

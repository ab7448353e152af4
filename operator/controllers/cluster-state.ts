/**
 * The state derived from the cluster as last seen, and the findings of controllers, as far as more than one of them
 * needs it. It changes only through `apply` and `accept`, which return what becomes dirty.
 */
import type { CompleteSpec } from '../api/capability-policy.ts';
import { presentLabels } from '../apply/namespace-labels.ts';
import type { LabelOutcome, RolloutOutcome } from '../apply/outcome.ts';
import type { ProtectionOutcome } from '../apply/protection-probe.ts';
import { lastAccepted, standingEnforced } from '../apply/standing.ts';
import { type Compiled, compiler } from '../compile/compile.ts';
import { type PodSecurityDefaults, podSecurityLabels } from '../compile/labels.ts';
import type { AdmissionOptions } from '../compile/match.ts';
import type { NamespaceJudgement } from '../evaluate/namespace.ts';
import { createUseIndex, type UseIndex } from '../evaluate/use.ts';
import type { Change, Cluster, NamespaceView } from '../model/objects.ts';
import { type Concerned, type Coverage, mergeCoverages, Selections } from '../policy/coverage.ts';
import { isExcluded, isReached } from '../policy/deciding.ts';
import { pendingPartOf, type Stage } from '../policy/parts.ts';
import { lastOf } from '../policy/pieces.ts';
import type { Resolution, ResolvedPolicy } from '../policy/resolve.ts';
import type { Labels } from '../policy/selector.ts';
import type { RolloutProgress } from '../promotion/progress.ts';
import { hasPendingLabel, type RolloutLabels, Rollouts, stagesOf } from '../promotion/rollouts.ts';
import { SeenObjects } from '../promotion/seen.ts';
import { SYSTEM_CLOCK } from '../runtime/clock.ts';
import { type Cause, type Found, type StateChange, unchanged } from './state-change.ts';

export interface ClusterStateOptions extends AdmissionOptions {
  readonly podSecurityDefaults: PodSecurityDefaults;
  /** The time of day, in ms since 1970: policies expire. */
  readonly now?: () => number;
  /** Compile a roll-out as far as it has come in the cluster; otherwise as if it had begun. */
  readonly rollsOut?: boolean;
}

/** The findings of controllers in this term, each by name of a policy or namespace. The controller writes it. */
interface Findings {
  readonly rollouts: Map<string, RolloutOutcome>;
  readonly labels: Map<string, LabelOutcome>;
  readonly judgements: Map<string, NamespaceJudgement>;
  /** How far each policy with `rollout` is. */
  readonly progress: Map<string, RolloutProgress>;
  readonly protection: { current?: ProtectionOutcome; clear(): void };
}

export class ClusterState {
  readonly findings: Findings = {
    rollouts: new Map(),
    labels: new Map(),
    judgements: new Map(),
    progress: new Map(),
    protection: {
      clear() {
        delete this.current;
      },
    },
  };
  /** The states of roll-outs in this term. The controller of promotions writes them. */
  readonly promotions = new Rollouts();
  /** Also kept by a standby, which then knows what its predecessor may have missed. */
  readonly seen = new SeenObjects();
  readonly #cluster: Cluster;
  readonly #options: ClusterStateOptions;
  readonly #compile = compiler();
  readonly #selections = new Selections();
  /** uid and generation of each policy, by name: the source of its last text. */
  readonly #generations = new Map<string, string>();
  #compiled: Compiled = {
    policies: [],
    expired: [],
    refusals: new Map(),
    specs: new Map(),
    rendered: new Map(),
    guards: [],
  };
  /** The parts of each policy. */
  #byName: ReadonlyMap<string, readonly ResolvedPolicy[]> = new Map();
  /** By the policy's uid: the watch may not have shown our write yet. */
  #accepted: ReadonlyMap<string, CompleteSpec> = new Map();
  /** The names of policies that changed since they were compiled. */
  readonly #edited = new Set<string>();
  #isStale = true;
  /** How often it became stale. */
  #changes = 0;
  #use: UseIndex | undefined;

  constructor(cluster: Cluster, options: ClusterStateOptions) {
    this.#cluster = cluster;
    this.#options = options;
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
        if (cause.oldest) this.#outdate();
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
    return this.#isStale;
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
    const begun = this.#changes;
    let compiled = yield* this.#compiling();
    // The compiler remembers most of it by now. In pieces, a stream of changes could keep it from ending.
    if (begun !== this.#changes) compiled = lastOf(this.#compiling());
    return this.#take(compiled);
  }

  #compiling(): Generator<void, Compiled> {
    const { operatorNamespace, excludedNamespaces, now = Date.now } = this.#options;
    return this.#compile(this.#cluster.policies(), {
      oldestServer: this.#cluster.oldestServer,
      now: now(),
      operatorNamespace,
      excludedNamespaces,
      lastAccepted: new Map([...lastAccepted(this.#cluster.rendered()), ...this.#accepted]),
      ...(this.#options.rollsOut && { stages: this.#stages() }),
    });
  }

  #stages(): Map<string, Stage> {
    return stagesOf(this.#cluster.policies(), this.promotions, standingEnforced(this.#cluster.rendered()));
  }

  /** How far the roll-out of a policy is. */
  stage(policy: string): Stage | undefined {
    return this.#stages().get(policy);
  }

  #take(compiled: Compiled): StateChange {
    const before = { resolutions: this.#resolutions(), policies: this.#compiled.policies };
    const policies = this.#cluster.policies();
    this.#compiled = compiled;
    const accepted = policies.flatMap(({ metadata }) => {
      const spec = this.#compiled.specs.get(metadata?.name ?? '');
      return spec ? [[metadata?.uid ?? '', spec] as const] : [];
    });
    this.#accepted = new Map(accepted);
    this.#byName = Map.groupBy(this.#compiled.policies, ({ name }) => name);
    this.#isStale = false;
    this.#edited.clear();
    const namespaces = this.#cluster
      .namespaces()
      .filter((namespace) => this.isReached(namespace))
      .map((namespace) => ({ name: namespace.name, labels: this.effectiveLabels(namespace) }));
    const concerned = this.#selections.replace(this.#compiled.policies, namespaces);
    // A verdict by another text is worthless: drop it until the namespace has been evaluated again.
    for (const name of concerned.namespaces) this.findings.judgements.delete(name);
    const resolved = differing(before.resolutions, this.#resolutions());
    return { ...unchanged({ of: 'accepted' }), ...concerned, policies: concerned.policies.union(resolved) };
  }

  /** As of the last `accept`. */
  get compiled(): Compiled {
    return this.#compiled;
  }

  /** Whether neither the policy nor one that its text depends on has changed since then. */
  isCompiledAs(policy: string, { rendered }: Compiled): boolean {
    const isSame = (id: string) => this.#compiled.rendered.get(id) === rendered.get(id);
    return !this.#edited.has(policy) && isSame(policy) && isSame(pendingPartOf(policy));
  }

  get use(): UseIndex {
    this.#use ??= createUseIndex(this.#cluster.roles(), this.#cluster.roleBindings());
    return this.#use;
  }

  resolution(policy: string): Resolution | undefined {
    const refusal = this.#compiled.refusals.get(policy);
    if (refusal) return { refusal };
    const [first] = this.#byName.get(policy) ?? this.#compiled.expired.filter(({ name }) => name === policy);
    return first && { policy: first.pendingFor ?? first };
  }

  /** Whether the policy counted as deleted when it was compiled. */
  hasExpired(policy: string): boolean {
    return this.#compiled.expired.some(({ name }) => name === policy);
  }

  /** Undefined for a policy that was never accepted, or has expired. */
  coverage(policy: string): Coverage | undefined {
    const parts = this.#byName.get(policy);
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

  rolloutLabels(namespace: NamespaceView): RolloutLabels {
    return this.promotions.labelsOf(namespace);
  }

  wantedLabels(namespace: NamespaceView): Record<string, string> {
    const { name } = namespace;
    const { oldestServer } = this.#cluster;
    const { podSecurityDefaults } = this.#options;
    return podSecurityLabels(this.selecting(name), this.effectiveLabels(namespace), {
      oldestServer,
      podSecurityDefaults,
    });
  }

  /** Whether policies decide in the namespace, and what runs there is evaluated. */
  isReached(namespace: NamespaceView): boolean {
    return isReached(namespace, this.#excluded);
  }

  isExcluded(namespace: string): boolean {
    return isExcluded(namespace, this.#excluded);
  }

  get #excluded(): readonly string[] {
    return [this.#options.operatorNamespace, ...this.#options.excludedNamespaces];
  }

  /** The finding of this term; before the first one, derived from the labels themselves. */
  labelOutcomes(namespaces: readonly string[]): Map<string, LabelOutcome> {
    const entries = namespaces.flatMap((name) => {
      const namespace = this.#cluster.namespace(name);
      return namespace
        ? [[name, this.findings.labels.get(name) ?? presentLabels(namespace, this.wantedLabels(namespace))] as const]
        : [];
    });
    return new Map(entries);
  }

  #outdate(): void {
    this.#isStale = true;
    this.#changes++;
  }

  /** The watch shows our own status writes as changes, too. */
  #applyPolicy(cause: Cause, name: string): StateChange {
    const policy = this.#cluster.policy(name);
    const generation = policy && `${policy.metadata?.uid}/${policy.metadata?.generation}`;
    const recompiles = generation === undefined || this.#generations.get(name) !== generation;
    if (generation === undefined) this.#generations.delete(name);
    else this.#generations.set(name, generation);
    if (recompiles) {
      this.findings.rollouts.delete(name);
      this.#edited.add(name);
      this.#outdate();
    }
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
    const policies = this.#compiled.policies.filter(({ usableBy }) => usableBy !== 'Everyone');
    const namespaces = policies.flatMap(({ id }) => [...this.#selections.selectedBy(id)]);
    return { policies: new Set(policies.map(({ name }) => name)), namespaces: new Set(namespaces) };
  }

  /** A promotion depends on everything that was in the namespace, however briefly. */
  #see({ namespace: name, seen = [] }: Extract<Change, { of: 'pod' | 'workload' }>): void {
    const namespace = this.#cluster.namespace(name);
    if (!namespace) this.seen.forget(name);
    else if (hasPendingLabel(this.effectiveLabels(namespace))) this.seen.add(name, seen, SYSTEM_CLOCK.date().getTime());
  }

  #applyFound(cause: Found): StateChange {
    const { namespaces = [], recompiles = false } = cause;
    if (recompiles) {
      this.#outdate();
      for (const policy of cause.policies ?? []) this.#edited.add(policy);
    }
    const selecting = [...namespaces].flatMap((name) => [...this.#select(name)]);
    const policies = this.#about(cause).union(new Set(selecting));
    return { ...unchanged(cause), policies, namespaces: new Set(namespaces), recompiles };
  }

  #about({ policies = [], namespace }: Found): ReadonlySet<string> {
    const selecting = namespace === undefined ? [] : this.selecting(namespace).map(({ name }) => name);
    return new Set([...policies, ...selecting]);
  }

  #forgetTerm(cause: Cause): StateChange {
    // The admission policies in the cluster record what was accepted last.
    this.#accepted = new Map();
    this.#outdate();
    for (const found of Object.values(this.findings)) found.clear();
    this.promotions.clear();
    const policies = this.#cluster.policies().map(({ metadata }) => metadata?.name ?? '');
    const namespaces = this.#cluster.namespaces().map(({ name }) => name);
    return { cause, policies: new Set(policies), namespaces: new Set(namespaces), recompiles: true };
  }

  #resolutions(): Map<string, unknown> {
    const parts = [...this.#byName].map(([name, [first]]) => [name, first] as const);
    return new Map<string, unknown>([...parts, ...this.#compiled.refusals]);
  }
}

/** Unchanged resolved policies remain the same objects. */
function differing(before: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): Set<string> {
  const names = [...before.keys(), ...now.keys()];
  return new Set(names.filter((name) => before.get(name) !== now.get(name)));
}

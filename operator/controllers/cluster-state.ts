/**
 * The state that controllers share: the last seen policies of the cluster, the outcomes of controllers, and the
 * rollouts. Only the methods `apply` and `accept` change the state. The methods `apply` and `accept` return the names
 * that become dirty.
 */
import { presentLabels } from '../apply/namespace-labels.ts';
import type { LabelOutcome } from '../apply/outcome.ts';
import type { CompilerOptions } from '../compile/compile.ts';
import { isAsTight } from '../compile/label-order.ts';
import {
  enforcedByDefault,
  formatLevel,
  type LevelVersion,
  labelled,
  type PodSecurityDefaults,
  podSecurityLabels,
  refusesAdmitted,
} from '../compile/labels.ts';
import type { AdmissionOptions } from '../compile/match.ts';
import { COST_LIMIT, Evaluator } from '../evaluate/violations.ts';
import type { Change, Cluster, NamespaceView } from '../model/objects.ts';
import { type PlatformNamespace, platformNamespace } from '../model/platform-namespaces.ts';
import { runToEnd } from '../policy/run-to-end.ts';
import { awaitedOf, hasPendingLabel, type RolloutLabels, Rollouts, stagesOf } from '../promotion/rollouts.ts';
import { SeenObjects } from '../promotion/seen.ts';
import { PromotionVerdicts } from '../promotion/verdicts.ts';
import { enforcedSpecs, leftOutIn } from '../state/accepted-specs.ts';
import { PolicyState } from '../state/policy-state.ts';
import { newOutcomes } from './outcomes.ts';
import { type Cause, type Found, type StateChange, unchanged } from './state-change.ts';

/**
 * The maximum time in ms that the operator waits for the saved states of rollouts. If the states cannot be read or
 * written within this time, the operator continues with the other policies.
 */
const MOST_WAIT_MS = 10_000;

export interface ClusterStateOptions extends AdmissionOptions, CompilerOptions {
  readonly podSecurityDefaults: PodSecurityDefaults;
  /** Returns the time of day, in milliseconds since 1970. The time of day determines whether a policy has expired. */
  readonly now?: () => number;
  /**
   * If the value is true, a policy with `rollout` is compiled according to the progress of its rollout. If the value is
   * false, a policy with `rollout` is compiled as if its rollout had begun.
   */
  readonly rollsOut?: boolean;
  /** The API groups that the cluster serves. They show which platform the cluster has. */
  readonly apiGroups?: readonly string[];
  /** Returns the uid of the CustomResourceDefinition of policies. Without the uid, rendered objects have no owner. */
  readonly ownerUid?: () => string;
}

export class ClusterState {
  readonly policies: PolicyState;
  readonly outcomes = newOutcomes();
  /**
   * The states of rollouts in this term. The controller of promotions writes these states. The method `awaitsRollouts`
   * may forget states of ended rollouts.
   */
  readonly promotions = new Rollouts();
  /**
   * The objects that existed for a short time in pending namespaces. A standby also records short-lived objects,
   * because the previous leader may have missed some of these objects.
   */
  readonly seen = new SeenObjects();
  readonly promotionVerdicts = new PromotionVerdicts();
  /** All controllers share this evaluator, because the evaluator caches verdicts. */
  readonly evaluator = new Evaluator({ costLimit: COST_LIMIT });
  readonly #cluster: Cluster;
  readonly #podSecurityDefaults: PodSecurityDefaults;
  readonly #now: () => number;
  readonly #apiGroups: readonly string[];
  /** Whether a namespace carries the platform. A change of the namespace or of its workloads removes its entry. */
  readonly #platform = new Map<string, PlatformNamespace | undefined>();
  /**
   * The time at which policies began to wait for the saved states of rollouts. The time comes from performance.now().
   */
  #awaitsSince: number | undefined;

  constructor(cluster: Cluster, options: ClusterStateOptions) {
    const { podSecurityDefaults, now = () => Date.now(), rollsOut = false, apiGroups = [], ...rest } = options;
    this.#cluster = cluster;
    this.#podSecurityDefaults = podSecurityDefaults;
    this.#now = now;
    this.#apiGroups = apiGroups;
    this.policies = new PolicyState(cluster, {
      ...rest,
      now,
      // Returns the labels that a namespace will have after the operator has written the labels of rollouts.
      labelsOf: (namespace) => this.promotions.effective(namespace),
      ...(rollsOut && {
        stages: (policies, rendered) =>
          stagesOf(policies, this.promotions, enforcedSpecs(rendered), leftOutIn(rendered)),
      }),
    });
  }

  /** Records a change in the cluster or in a controller. */
  apply(cause: Cause): StateChange {
    switch (cause.of) {
      case 'policy':
        return this.#applyPolicy(cause);
      case 'pod':
      case 'workload':
        if (cause.of === 'workload') this.#platform.delete(cause.namespace);
        this.#see(cause);
        return unchanged(cause);
      case 'namespace':
        this.#platform.delete(cause.name);
        if (!this.#cluster.namespace(cause.name)) this.#forgetNamespace(cause.name);
        return { cause, ...this.policies.apply(cause) };
      case 'rbac':
      case 'servers':
        return { cause, ...this.policies.apply(cause) };
      case 'term':
        return this.#forgetTerm(cause);
      case 'found':
        return this.#applyFound(cause);
      default:
        return unchanged(cause);
    }
  }

  /** Runs `accepting` without interruption. */
  accept(): StateChange {
    return runToEnd(this.accepting());
  }

  /**
   * Compiles the current policies in steps. The last step accepts the policies that can be compiled. Nothing changes
   * before the last step.
   */
  *accepting(): Generator<void, StateChange> {
    const { policies, namespaces, reselected } = yield* this.policies.accepting();
    // After a change of a policy, the old verdicts by this policy are wrong. The operator therefore drops all verdicts
    // of the namespace, and evaluates the namespace again.
    for (const name of reselected) this.outcomes.verdicts.delete(name);
    return { ...unchanged({ of: 'accepted' }), policies, namespaces };
  }

  /**
   * Whether programs and labels have to wait until the controller of promotions has read or written the states of
   * rollouts. When the wait has lasted too long, the method forgets the states of ended rollouts. Programs then stop
   * guarding the labels of these rollouts, so the states in memory are no longer true. If such a policy rolls out again,
   * the controller of promotions derives the state as after a restart.
   */
  awaitsRollouts(): boolean {
    const awaited = this.#awaited();
    const now = performance.now();
    this.#awaitsSince = awaited.length > 0 ? (this.#awaitsSince ?? now) : undefined;
    if (this.#awaitsSince === undefined) return false;
    if (now - this.#awaitsSince < MOST_WAIT_MS) return true;
    for (const policy of awaited) this.promotions.delete(policy);
    // If a policy with a forgotten state rolls out again, programs and labels wait again.
    if (this.#awaited().length === 0) this.#awaitsSince = undefined;
    return false;
  }

  #awaited(): string[] {
    const { specs } = this.policies.compiled;
    const hasExpired = (policy: string) => this.policies.hasExpired(policy);
    return awaitedOf(this.#cluster.policies(), specs, this.promotions, hasExpired);
  }

  rolloutLabels(namespace: NamespaceView): RolloutLabels {
    return this.promotions.labelsOf(namespace);
  }

  /** The Pod Security labels that policies want on a namespace. */
  wantedLabels(namespace: NamespaceView): Record<string, string> {
    const options = { oldestServer: this.#cluster.oldestServer, podSecurityDefaults: this.#defaults() };
    const { policies } = this;
    return podSecurityLabels(policies.selecting(namespace.name), policies.effectiveLabels(namespace), options);
  }

  /**
   * Returns a function that says whether Pod Security refuses pods that the deciding policies admit, if the namespace
   * has the given labels.
   */
  refusing(namespace: NamespaceView): (labels: Readonly<Record<string, string>>) => boolean {
    const policies = this.policies.selecting(namespace.name);
    const effective = this.policies.effectiveLabels(namespace);
    return (labels) => {
      const enforced = labelled('enforce', labels, this.#cluster.oldestServer);
      return enforced !== undefined && refusesAdmitted(policies, effective, enforced);
    };
  }

  /**
   * The default of Pod Security, such as `baseline:v1.30`, if a namespace with the given labels has no label `enforce` and
   * the default refuses pods that the deciding policies admit.
   */
  refusingDefault(namespace: NamespaceView, labels: Readonly<Record<string, string>>): string | undefined {
    const { current } = this.outcomes.podSecurity;
    const byDefault = current?.isKnown ? current.enforce : this.#podSecurityDefaults.enforce;
    const enforced = byDefault && enforcedByDefault(labels, byDefault, this.#cluster.oldestServer);
    const policies = this.policies.selecting(namespace.name);
    if (!enforced || !refusesAdmitted(policies, this.policies.effectiveLabels(namespace), enforced)) return undefined;
    return formatLevel(enforced);
  }

  /** The default that the flag --psa-defaults names and the default that API servers enforce, if they differ. */
  wrongFlag(): { readonly flag: string; readonly enforced: string } | undefined {
    const { enforce } = this.#podSecurityDefaults;
    const { current } = this.outcomes.podSecurity;
    if (!enforce || !current?.isKnown) return undefined;
    const [flag, enforced] = [enforce, current.enforce].map(formatLevel) as [string, string];
    return flag === enforced ? undefined : { flag, enforced };
  }

  /** The defaults for labels. If the flag and the answer of an API server differ, the tighter of the two counts. */
  #defaults(): PodSecurityDefaults {
    const { current } = this.outcomes.podSecurity;
    const enforce = tighterOf(current?.enforce, this.#podSecurityDefaults.enforce, this.#cluster.oldestServer);
    return { ...this.#podSecurityDefaults, ...(enforce && { enforce }) };
  }

  /** The label outcome according to the namespace's current labels. */
  presentLabels(namespace: NamespaceView): LabelOutcome {
    return presentLabels(namespace, this.wantedLabels(namespace), this.refusing(namespace));
  }

  /** Returns those of the namespaces that carry the cluster's platform. */
  platformAmong(namespaces: readonly string[]): PlatformNamespace[] {
    return namespaces.flatMap((name) => {
      const namespace = this.#cluster.namespace(name);
      if (!namespace) return [];
      if (!this.#platform.has(name)) {
        const workloads = this.#cluster.workloads(name);
        this.#platform.set(name, platformNamespace(namespace, workloads, this.#apiGroups));
      }
      return this.#platform.get(name) ?? [];
    });
  }

  /** The time of day, in milliseconds since 1970. */
  now(): number {
    return this.#now();
  }

  /**
   * The label outcomes of this term. The key is the namespace. Before the first pass of the label controller, the
   * method derives the outcomes from the namespaces' current labels.
   */
  labelOutcomes(namespaces: readonly string[]): Map<string, LabelOutcome> {
    const entries = namespaces.flatMap((name) => {
      const namespace = this.#cluster.namespace(name);
      return namespace ? [[name, this.outcomes.labels.get(name) ?? this.presentLabels(namespace)] as const] : [];
    });
    return new Map(entries);
  }

  #applyPolicy(cause: Extract<Change, { of: 'policy' }>): StateChange {
    const change = this.policies.apply(cause);
    // A changed policy may be a new policy with the name of a deleted policy.
    if (change.recompiles)
      for (const outcomes of [this.outcomes.programs, this.outcomes.progress]) outcomes.delete(cause.name);
    return { cause, ...change };
  }

  /**
   * Records the objects of a change. A promotion depends on every object that was in the namespace, including objects
   * that existed only for a short time.
   */
  #see({ namespace: name, seen = [] }: Extract<Change, { of: 'pod' | 'workload' }>): void {
    const namespace = this.#cluster.namespace(name);
    if (!namespace) this.seen.forget(name);
    else if (hasPendingLabel(this.policies.effectiveLabels(namespace))) this.seen.add(name, seen, this.#now());
  }

  /**
   * A standby evaluates no namespaces. If a namespace is deleted while the process is a standby, only this method
   * forgets the namespace.
   */
  #forgetNamespace(name: string): void {
    for (const known of [this.seen, this.promotionVerdicts, this.promotions]) known.forget(name);
  }

  #applyFound(cause: Found): StateChange {
    const { policies: found = [], namespace, namespaces = [], recompiles = false } = cause;
    if (recompiles) this.policies.outdate(found);
    const reselected = [...namespaces].flatMap((name) => [...this.policies.select(name)]);
    const selecting = namespace === undefined ? [] : this.policies.selecting(namespace).map(({ name }) => name);
    const policies = new Set([...found, ...selecting, ...reselected]);
    return { ...unchanged(cause), policies, namespaces: new Set(namespaces), recompiles };
  }

  #forgetTerm(cause: Cause): StateChange {
    this.policies.forget();
    for (const outcome of Object.values(this.outcomes)) outcome.clear();
    this.promotions.clear();
    this.promotionVerdicts.endTerm(this.#now());
    const policies = this.#cluster.policies().map(({ metadata }) => metadata?.name ?? '');
    const namespaces = this.#cluster.namespaces().map(({ name }) => name);
    return { cause, policies: new Set(policies), namespaces: new Set(namespaces), recompiles: true };
  }
}

/** The tighter of two defaults. If neither is as tight as the other, the result is the first one. */
function tighterOf(
  one: LevelVersion | undefined,
  other: LevelVersion | undefined,
  server: number,
): LevelVersion | undefined {
  return one && !(other && isAsTight(other, one, server)) ? one : other;
}

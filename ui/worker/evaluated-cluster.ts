/**
 * Evaluates the loaded snapshot, with the policies of the snapshot or with other policies. Every namespace is evaluated
 * at least once. Later, a namespace is evaluated again only in the modes whose deciding policies have changed.
 */
import type {
  EvaluatedContext,
  EvaluatedWorkloads,
  Labels,
  LivePolicies,
  PolicySource,
} from '../../analysis/policies/context.ts';
import { type CompletePolicy, NAME_LABEL } from '../../operator/api/capability-policy.ts';
import type { Accepted } from '../../operator/compile/accept.ts';
import { type EvaluatedModes, evaluatingModes } from '../../operator/evaluate/modes.ts';
import { verdictsOf } from '../../operator/evaluate/namespace.ts';
import type { EvaluationContext } from '../../operator/evaluate/verdict.ts';
import type { Group } from '../../operator/evaluate/workload-verdict.ts';
import type { NamespaceView } from '../../operator/model/objects.ts';
import { Selections } from '../../operator/policy/coverage.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import type { SharedEvaluation } from './shared-evaluation.ts';

/** The evaluation of a namespace, with everything that affects the verdicts. */
interface Evaluated {
  readonly groups: readonly Group[];
  readonly modes: EvaluatedModes;
  readonly result: EvaluatedWorkloads;
}

type EvaluatedByName = ReadonlyMap<string, Evaluated>;

/** Earlier evaluations of the cluster. Verdicts are reused if the same policies decide about the same workloads. */
interface EvaluatedBefore {
  /** An evaluation of the same state of the cluster, with the cluster's own policies. */
  readonly like?: EvaluatedCluster | undefined;
  /** The cluster in an earlier state. */
  readonly earlier?: EvaluatedCluster | undefined;
}

export class EvaluatedCluster implements EvaluatedContext, LivePolicies {
  readonly #shared: SharedEvaluation;
  readonly #selections = new Selections();
  readonly #evaluated: Map<string, Evaluated>;
  readonly #before: readonly EvaluatedByName[];
  /** The evaluation with the cluster's own policies; undefined for this evaluation itself. */
  readonly #live: EvaluatedByName | undefined;
  #policies: readonly CompletePolicy[];
  #accepted: Accepted;
  #labels: ReadonlyMap<string, Labels> = new Map();
  sources: ReadonlyMap<string, PolicySource> = new Map();

  constructor(shared: SharedEvaluation, policies: readonly CompletePolicy[], { like, earlier }: EvaluatedBefore = {}) {
    this.#shared = shared;
    this.#policies = policies;
    this.#accepted = like ? like.#accepted : shared.accepted(policies);
    this.#evaluated = new Map(like ? like.#evaluated : []);
    // The object keeps the verdicts of `like` and `earlier`, but no reference to these two clusters. With references to
    // these two clusters, a changing cluster would keep its whole history in memory.
    this.#live = like ? like.#evaluated : undefined;
    this.#before = [like, earlier].flatMap((one) => (one ? [one.#evaluated] : []));
    const { namespaces } = this.#select();
    if (!like) this.#evaluate(namespaces);
  }

  get compiled(): Accepted {
    return this.#accepted;
  }

  /**
   * Changes the policies for the evaluation of the cluster.
   * @param labels the changed labels, by namespace. Other namespaces have the same labels as in the cluster
   * @param sources the sources of the policies that the cluster does not contain
   */
  suppose(
    policies: readonly CompletePolicy[],
    labels: ReadonlyMap<string, Labels> = new Map(),
    sources: ReadonlyMap<string, PolicySource> = new Map(),
  ): void {
    const before = this.#labels;
    if (policies === this.#policies && before.size === 0 && labels.size === 0) return;
    this.#policies = policies;
    this.#accepted = this.#shared.accepted(policies);
    this.#labels = labels;
    this.sources = sources;
    const { namespaces } = this.#select();
    // A changed label may affect a verdict even if the same policies select the namespace.
    this.#evaluate(namespaces.union(new Set([...before.keys(), ...labels.keys()])));
  }

  labelsOf(namespace: string): Labels {
    const labels = this.#labels.get(namespace) ?? this.#shared.cluster.namespace(namespace)?.labels;
    return { ...labels, [NAME_LABEL]: namespace };
  }

  enforcedIn(namespace: string): readonly ResolvedPolicy[] {
    return enforcedOf(this.#evaluated.get(namespace));
  }

  *evaluateCluster(only?: string): Iterable<EvaluatedWorkloads> {
    for (const { name } of this.#shared.namespaces) {
      const evaluated = only === undefined || only === name ? this.#evaluated.get(name) : undefined;
      if (evaluated) yield evaluated.result;
    }
  }

  #select() {
    const namespaces = this.#shared.namespaces.map(({ name, labels }) => ({
      name,
      labels: this.#labels.get(name) ?? labels,
    }));
    return this.#selections.replace(this.#accepted.policies, namespaces);
  }

  #evaluate(names: ReadonlySet<string>): void {
    const { evaluator, namespaces } = this.#shared;
    const evaluation = { evaluator, use: this.#shared.useOf(this.#accepted) };
    for (const namespace of namespaces) {
      const known = this.#evaluated.get(namespace.name);
      if (!known || names.has(namespace.name))
        this.#evaluated.set(namespace.name, this.#evaluateOne(namespace, known, evaluation));
    }
  }

  #evaluateOne(
    { name, labels }: NamespaceView,
    known: Evaluated | undefined,
    evaluation: EvaluationContext,
  ): Evaluated {
    const selecting = {
      policies: this.#selections.selecting(name),
      labels: this.#labels.get(name) ?? labels,
      live: this.#live && enforcedOf(this.#live.get(name)),
    };
    const groups = this.#shared.groupsOf(name);
    const all = [known, ...this.#before.map((one) => one.get(name))];
    const before = all.flatMap((one) => (one?.groups === groups ? [one] : []));
    const ofModes = before.map(({ modes }) => modes);
    const modes = runToEnd(evaluatingModes(groups, selecting, evaluation, ofModes));
    const same = before.find((one) => isSame(one.modes, modes));
    return same ?? { groups, modes, result: { namespace: name, modes: verdictsOf(modes) } };
  }
}

function enforcedOf(evaluated: Evaluated | undefined): readonly ResolvedPolicy[] {
  return evaluated?.modes.Enforce?.context.deciders ?? [];
}

function isSame(a: EvaluatedModes, b: EvaluatedModes): boolean {
  return MODES.every((mode) => a[mode] === b[mode]);
}

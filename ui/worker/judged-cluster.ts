/**
 * The loaded snapshot under supposed policies: every namespace is judged once, and again only in the modes in which other
 * policies decide.
 */
import type { JudgedContext, JudgedWorkloads, Labels, PolicySource } from '../../analysis/policies/context.ts';
import { type CompletePolicy, NAME_LABEL } from '../../operator/api/capability-policy.ts';
import type { Accepted } from '../../operator/compile/accept.ts';
import { type JudgedModes, judgingModes } from '../../operator/evaluate/modes.ts';
import { judgementsOf } from '../../operator/evaluate/namespace.ts';
import type { EvaluationContext } from '../../operator/evaluate/verdict.ts';
import type { Group } from '../../operator/evaluate/workload-judgement.ts';
import type { NamespaceView } from '../../operator/model/objects.ts';
import { Selections } from '../../operator/policy/coverage.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { lastOf } from '../../operator/policy/pieces.ts';
import type { SharedJudging } from './shared-judging.ts';

/** A namespace, and what its verdicts follow from. */
interface Judged {
  readonly groups: readonly Group[];
  readonly modes: JudgedModes;
  readonly judgement: JudgedWorkloads;
}

type JudgedByName = ReadonlyMap<string, Judged>;

/** The clusters whose verdicts are used where the same policies decide about the same workloads. */
interface JudgedBefore {
  /** Under the same policies. */
  readonly like?: JudgedCluster | undefined;
  /** In an earlier state. */
  readonly earlier?: JudgedCluster | undefined;
}

export class JudgedCluster implements JudgedContext {
  readonly #shared: SharedJudging;
  readonly #selections = new Selections();
  readonly #judged: Map<string, Judged>;
  readonly #before: readonly JudgedByName[];
  #policies: readonly CompletePolicy[];
  #accepted: Accepted;
  #labels: ReadonlyMap<string, Labels> = new Map();
  sources: ReadonlyMap<string, PolicySource> = new Map();

  constructor(shared: SharedJudging, policies: readonly CompletePolicy[], { like, earlier }: JudgedBefore = {}) {
    this.#shared = shared;
    this.#policies = policies;
    this.#accepted = like ? like.#accepted : shared.accepted(policies);
    this.#judged = new Map(like ? like.#judged : []);
    // Without those that these used themselves: a cluster that changes would keep all of its history.
    this.#before = [like, earlier].flatMap((one) => (one ? [one.#judged] : []));
    const { namespaces } = this.#select();
    if (!like) this.#judge(namespaces);
  }

  get compiled(): Accepted {
    return this.#accepted;
  }

  /**
   * Supposes other policies. @param labels of namespaces that have others than in the cluster @param sources of the
   * policies that are not in the cluster
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
    // A label may decide about a verdict even if the same policies select the namespace.
    this.#judge(namespaces.union(new Set([...before.keys(), ...labels.keys()])));
  }

  labelsOf(namespace: string): Labels {
    const labels = this.#labels.get(namespace) ?? this.#shared.cluster.namespace(namespace)?.labels;
    return { ...labels, [NAME_LABEL]: namespace };
  }

  *judgeCluster(only?: string): Iterable<JudgedWorkloads> {
    for (const { name } of this.#shared.namespaces) {
      const judged = only === undefined || only === name ? this.#judged.get(name) : undefined;
      if (judged) yield judged.judgement;
    }
  }

  #select() {
    const namespaces = this.#shared.namespaces.map(({ name, labels }) => ({
      name,
      labels: this.#labels.get(name) ?? labels,
    }));
    return this.#selections.replace(this.#accepted.policies, namespaces);
  }

  #judge(names: ReadonlySet<string>): void {
    const { evaluator, namespaces } = this.#shared;
    const evaluation = { evaluator, use: this.#shared.useOf(this.#accepted) };
    for (const namespace of namespaces) {
      const known = this.#judged.get(namespace.name);
      if (!known || names.has(namespace.name))
        this.#judged.set(namespace.name, this.#judgeOne(namespace, known, evaluation));
    }
  }

  #judgeOne({ name, labels }: NamespaceView, known: Judged | undefined, evaluation: EvaluationContext): Judged {
    const selecting = { policies: this.#selections.selecting(name), labels: this.#labels.get(name) ?? labels };
    const groups = this.#shared.groupsOf(name);
    const all = [known, ...this.#before.map((one) => one.get(name))];
    const before = all.flatMap((one) => (one?.groups === groups ? [one] : []));
    const ofModes = before.map(({ modes }) => modes);
    const modes = lastOf(judgingModes(groups, selecting, evaluation, ofModes));
    const same = before.find((one) => isSame(one.modes, modes));
    return same ?? { groups, modes, judgement: { namespace: name, modes: judgementsOf(modes) } };
  }
}

function isSame(a: JudgedModes, b: JudgedModes): boolean {
  return MODES.every((mode) => a[mode] === b[mode]);
}

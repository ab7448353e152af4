/**
 * Finds the changes that edited policies make in the loaded snapshot. The code is the same as for `cappol check
 * --cluster --policy`.
 */
import { changesOf } from '../../analysis/check/changes.ts';
import type { ChangeSummary, Changes, WorkloadChange } from '../../analysis/check/changes-result.ts';
import { roleOf } from '../../analysis/manifests/kinds.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import type { Labels, PolicyContextOptions } from '../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { enforcedEverywhere, type PendingPolicies, withPending } from '../../analysis/policies/supposed.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { manifestsIn } from './check.ts';
import { EvaluatedCluster } from './evaluated-cluster.ts';
import type { Loaded } from './loaded.ts';
import { SharedEvaluation } from './shared-evaluation.ts';

export interface ReevaluateQuestion {
  /** The edited policies as YAML. */
  readonly policies: string;
}

export interface ReevaluateAnswer {
  /** The names of the valid policies in the text. */
  readonly candidates: readonly string[];
  readonly summary: Omit<ChangeSummary, 'rollouts'> & {
    /** The number of workloads whose effect changes. */
    readonly changed: number;
  };
  /** The first changes, sorted by namespace, kind and name. */
  readonly changes: readonly WorkloadChange[];
  /** The reasons why some valid policies could not be brought into force. */
  readonly refusals: readonly string[];
}

/**
 * The maximum number of changes in the list. A large cluster may have thousands of changes, but users do not read
 * thousands of changes.
 */
const MOST_CHANGES = 200;

/**
 * The cluster in three forms: with its own policies, with the edited policies, and with the edited policies enforced
 * everywhere.
 */
interface Evaluating {
  readonly shared: SharedEvaluation;
  readonly before: EvaluatedCluster;
  readonly after: EvaluatedCluster;
  readonly enforced: EvaluatedCluster;
}

export class Reevaluation {
  readonly loaded: Loaded;
  readonly #evaluating: Evaluating;
  readonly #cluster: Cluster;
  readonly #options: PolicyContextOptions;

  /** @param earlier the evaluation of an earlier snapshot of the cluster */
  constructor(loaded: Loaded, earlier?: Reevaluation) {
    const { snapshot, cluster, excluded, usersKnown, at } = loaded;
    const { operatorNamespace, excludedNamespaces } = snapshot;
    const { oldestServer } = cluster;
    this.loaded = loaded;
    this.#cluster = cluster;
    this.#options = { operatorNamespace, excludedNamespaces, oldestServer, namespaceLabels: {}, usersKnown, at };
    const known: Partial<Evaluating> = earlier ? earlier.#evaluating : {};
    const policies = cluster.policies();
    const shared = new SharedEvaluation(cluster, { excluded, usersKnown, at }, known.shared);
    const before = new EvaluatedCluster(shared, policies, { earlier: known.before });
    const after = new EvaluatedCluster(shared, policies, { like: before, earlier: known.after });
    const enforced = new EvaluatedCluster(shared, policies, { like: before, earlier: known.enforced });
    this.#evaluating = { shared, before, after, enforced };
  }

  reevaluate(question: ReevaluateQuestion): ReevaluateAnswer {
    const { candidates, changes, summary, refusals } = this.changes(question);
    const { rollouts: _, ...counts } = summary;
    return {
      candidates,
      summary: { ...counts, changed: changes.length },
      changes: changes.slice(0, MOST_CHANGES),
      refusals,
    };
  }

  /** The changes, in the form that `cappol check --cluster --policy` prints. */
  changes({ policies: text }: ReevaluateQuestion): Changes & { readonly refusals: readonly string[] } {
    const changed = new PolicyContextBuilder();
    changed.addCluster(this.#cluster);
    let isOnlyPolicies = true;
    // The function ignores problems in the text, because the answer to the question `check` contains the problems.
    for (const manifest of manifestsIn(text, 'policies', () => {})) {
      isOnlyPolicies &&= roleOf(manifest.object.apiVersion, manifest.object.kind) === 'policy';
      changed.addManifest(manifest, () => {});
    }
    return isOnlyPolicies ? this.#policyChanges(changed) : this.#changes(changed);
  }

  #policyChanges(changed: PolicyContextBuilder) {
    const candidates = changed.stated;
    const { policies, sources } = changed;
    const all = [...policies.values()];
    const rollouts = changed.rollouts(candidates);
    const isEnforced = candidates.every((name) => policies.get(name)?.spec.mode === 'Enforce' && !rollouts.has(name));
    const suppose = (pending: Pending) => {
      this.#evaluating.after.suppose(all, this.#labelsWith(pending), sources);
      return this.#evaluating.after;
    };
    if (!isEnforced) {
      const enforced = all.map((one) =>
        candidates.includes(one.metadata?.name ?? '') ? enforcedEverywhere(one) : one,
      );
      this.#evaluating.enforced.suppose(enforced);
    }
    const changes = changesOf({
      candidates,
      rollouts,
      before: this.#evaluating.before,
      after: suppose,
      // If all edited policies are enforced everywhere, no namespace is pending.
      enforced: isEnforced ? suppose(new Map()) : this.#evaluating.enforced,
    });
    const refusals = [...this.#evaluating.after.compiled.refusals].filter(([name]) => candidates.includes(name));
    return { ...changes, refusals: refusals.map(([name, { message }]) => `CapabilityPolicy ${name}: ${message}`) };
  }

  /** The labels of the namespaces that the rollout of a candidate policy selects. */
  #labelsWith(pending: Pending): Map<string, Labels> {
    const reached = [...pending].filter(([, policies]) => policies.size > 0);
    return new Map(
      reached.map(([namespace, policies]) => [
        namespace,
        withPending(this.#cluster.namespace(namespace)?.labels, policies),
      ]),
    );
  }

  /**
   * If the text contains namespaces or roles, any verdict may change. The function then evaluates everything again, and
   * needs more time for the answer.
   */
  #changes(changed: PolicyContextBuilder) {
    const candidates = changed.stated;
    const refusals: Trouble[] = [];
    const { before } = this.#evaluating;
    const changes = changesOf({
      candidates,
      rollouts: changed.rollouts(candidates),
      before,
      after: (pending) => changed.build(this.#options, (trouble) => refusals.push(trouble), { pending, live: before }),
      enforced: changed.build(this.#options, () => {}, { enforced: candidates, live: before }),
    });
    const own = refusals.filter(({ file, severity }) => file === 'policies' && severity !== 'warning');
    return { ...changes, refusals: own.map(({ message }) => message) };
  }
}

type Pending = ReadonlyMap<string, PendingPolicies>;
